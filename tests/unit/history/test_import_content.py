"""The content of an imported run: its files, and no path of the machine that logged it."""

import json
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest
from mlflow.entities import Dataset, DatasetInput
from skl2onnx import to_onnx
from sklearn.linear_model import LinearRegression

from history import runfile
from history.runfile import Run
from tests.support.history_factories import Workspace, import_into, verify
from tests.support.source_store import SourceStore


@pytest.fixture
def source(tmp_path: Path) -> SourceStore:
    return SourceStore(tmp_path / "source")


def load(folder: Path) -> Run:
    return runfile.load(folder / "run.json")


def test_all_artifacts_come_along_with_their_digests(
    repo: Workspace, source: SourceStore
) -> None:
    contents = {
        "note.txt": "n",
        "plots/a b.txt": "p",
        "plots/deep/ü.txt": "",
    }
    run_id = source.log(status=None)
    for path, text in contents.items():
        source.client.log_text(run_id, text, path)
    source.client.set_terminated(run_id)
    (folder,) = import_into(repo, source.uri)
    sizes = {file.path: file.size for file in load(folder).artifacts}
    assert list(sizes.items()) == [
        ("note.txt", 1),
        ("plots/a b.txt", 1),
        ("plots/deep/ü.txt", 0),
    ]
    assert verify(repo) == []


def test_no_path_of_this_machine_gets_into_the_history(
    repo: Workspace, source: SourceStore
) -> None:
    client = source.client
    root = repo.root.as_posix()
    program = {"mlflow.source.name": f"{root}/tools/train.py"}
    run_id = source.log(status=None, tags=program)
    client.log_param(run_id, "folder", "C:\\Users\\ann\\data.csv")
    client.log_param(run_id, "route", "/x")
    client.log_metric(run_id, "a /tmp b", 1)
    client.set_tag(run_id, "where", "file:///home/ann/some%20data.csv")
    client.set_tag(run_id, "note", "see /home/ann for more")
    place = json.dumps({"uri": f"{root}/data/d.csv"})
    dataset = Dataset("d", "1", "local", place)
    client.log_inputs(run_id, [DatasetInput(dataset)])
    client.set_terminated(run_id)

    (folder,) = import_into(repo, source.uri)
    run = load(folder)
    assert run.tags["mlflow.source.name"] == "tools/train.py"
    assert run.params == {"folder": "data.csv", "route": "/x"}
    assert run.tags["where"] == "some data.csv"
    assert run.tags["note"] == "see /home/ann for more"
    assert run.datasets[0].source == '{"uri": "data/d.csv"}'
    assert root not in (folder / "run.json").read_text("utf-8")


def log_onnx_model(source: SourceStore) -> tuple[str, str]:
    """Log a model with MLflow's own functions; return the IDs of its run and itself."""
    rows = np.random.default_rng(1).random((20, 2), dtype=np.float32)
    regression = LinearRegression().fit(rows, rows[:, 0])
    model = to_onnx(regression, rows)
    table = pd.DataFrame(rows, columns=["a", "b"])
    data = mlflow.data.from_pandas(table, source=str(source.folder / "d.csv"))
    mlflow.set_tracking_uri(source.uri)
    try:
        with mlflow.start_run() as run:
            logged = mlflow.onnx.log_model(
                model, name="model", pip_requirements=["onnx"]
            )
            mlflow.log_input(data)
    finally:
        mlflow.set_tracking_uri(None)
    return run.info.run_id, logged.model_id


def test_a_logged_model_names_its_place_in_the_history(
    repo: Workspace,
    source: SourceStore,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(source.folder)
    monkeypatch.setattr(
        mlflow.tracking.fluent, "_active_experiment_id", source.experiment
    )
    run_id, model_id = log_onnx_model(source)
    (folder,) = import_into(repo, source.uri, [run_id])
    text = (folder / "models" / model_id / "MLmodel").read_text("utf-8")
    place = f"housing/{folder.parent.name}/{folder.name}/models/{model_id}"
    assert f"artifact_path: mlflow-artifacts:/{place}\n" in text
    assert verify(repo) == []
    for path in repo.mlruns.rglob("*"):
        if path.is_file():
            assert b"/tmp/" not in path.read_bytes()
