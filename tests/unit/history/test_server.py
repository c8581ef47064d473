"""A real MLflow server shows the runs, artifacts and champion of a clone, and new runs."""

import os
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mlflow import MlflowClient
from mlflow.artifacts import download_artifacts

from history import layout, runfile
from history.build import build_database
from scripts.loopback import free_port
from tests.paths import ROOT
from tests.support.history_factories import (
    Workspace,
    import_into,
    new_store,
    new_workspace,
    promote,
    verify,
)
from tests.support.mlflow_picture import picture
from tests.support.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.slow


@contextmanager
def server(repo: Workspace) -> Iterator[str]:
    """Serve a repository's database and history as `start-mlops.sh` does."""
    port = str(free_port())
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "mlflow",
            "server",
            "--host",
            "127.0.0.1",
            "--port",
            port,
            "--backend-store-uri",
            f"sqlite:///{(repo.build / 'mlflow.db').as_posix()}",
            "--artifacts-destination",
            "mlruns",
            "--workers",
            "1",
            "--default-artifact-root",
            "mlflow-artifacts:/.local",
        ],
        cwd=repo.root,
        env={**os.environ, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    uri = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            try:
                urllib.request.urlopen(f"{uri}/health", timeout=2).close()
                break
            except (urllib.error.URLError, OSError):
                time.sleep(0.3)
        yield uri
    finally:
        process.terminate()
        process.wait(30)


def trained(repo: Workspace, folder: Path) -> tuple[MlflowClient, str]:
    """Log a run with a small model and an artifact, import and promote it."""
    import mlflow
    from skl2onnx import to_onnx
    from sklearn.linear_model import LinearRegression

    uri, client, _ = new_store(folder)
    generator = np.random.default_rng(1)
    rows = generator.random((50, 2), dtype=np.float32)
    truth = rows @ [1.0, 2.0]
    fitted = LinearRegression().fit(rows, truth)
    model = to_onnx(fitted, rows)
    mlflow.set_tracking_uri(uri)
    try:
        mlflow.set_experiment("housing")
        with mlflow.start_run() as run:
            mlflow.log_param("depth", 12)
            mlflow.log_metric("rmse", 0.5)
            mlflow.log_text("noted", "plots/note.txt")
            mlflow.onnx.log_model(model, name="model", pip_requirements=["onnx"])
    finally:
        mlflow.set_tracking_uri(None)
    (folder,) = import_into(repo, uri, [run.info.run_id])
    promote(repo, runfile.load(folder / layout.RUN_FILE))
    return client, str(run.info.run_id)


def script(
    repo: Workspace, uri: str, *options: str
) -> subprocess.CompletedProcess[str]:
    program = [sys.executable, *options, "scripts/verify_mlflow_data.py"]
    command = [*program, "--repo", str(repo.root)]
    return subprocess.run(
        [*command, "--server", uri],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.nightly
def test_a_clone_at_another_path_shows_everything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import mlflow

    # MLflow stores the name of the program with the run.
    monkeypatch.setattr(sys, "argv", ["train.py"])
    first = new_workspace(tmp_path / "first")
    source, run_id = trained(first, tmp_path / "source")
    shutil.copytree(first.root, tmp_path / "elsewhere" / "clone")
    shutil.rmtree(first.root)
    shutil.rmtree(tmp_path / "source" / "artifacts")
    repo = Workspace(tmp_path / "elsewhere" / "clone")
    assert verify(repo) == []
    build_database(repo.mlruns, repo.build / "mlflow.db")
    with server(repo) as uri:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
        client = MlflowClient(uri, registry_uri=uri)
        assert filled(picture(client)) == filled(picture(source))
        text = download_artifacts(
            f"runs:/{run_id}/plots/note.txt", dst_path=str(tmp_path)
        )
        assert Path(text).read_text("utf-8") == "noted"

        mlflow.set_tracking_uri(uri)
        mlflow.set_registry_uri(uri)
        try:
            check_the_champion(tmp_path)
            mlflow.set_experiment("housing")
            with mlflow.start_run() as run:
                mlflow.log_metric("rmse", 0.4)
                mlflow.log_text("mine", "mine.txt")
            mlflow.set_experiment("my own")
            with mlflow.start_run():
                mlflow.log_text("mine", "mine.txt")
        finally:
            mlflow.set_tracking_uri(None)
            mlflow.set_registry_uri(None)
        check_the_new_run_is_imported(repo, uri, client, run.info.run_id)


def filled(value: Any) -> Any:
    """Replace None by an empty text: over HTTP MLflow's client shows None as one."""
    if isinstance(value, dict):
        return {key: filled(item) for key, item in value.items()}
    return "" if value is None else value


def check_the_champion(folder: Path) -> None:
    import mlflow
    import onnxruntime

    model = mlflow.onnx.load_model("models:/housing@champion", dst_path=str(folder))
    session = onnxruntime.InferenceSession(model.SerializeToString())
    row = np.array([[1, 1]], dtype=np.float32)
    (prediction,) = session.run(None, {"X": row})
    value = float(prediction.ravel()[0])
    assert value == pytest.approx(3, abs=1e-4)


def check_the_new_run_is_imported(
    repo: Workspace,
    uri: str,
    client: MlflowClient,
    new: str,
) -> None:
    """Check that a run of a notebook belongs to the history once it is imported."""
    assert verify(repo) == []
    local = repo.mlruns / ".local" / "housing" / new
    assert (local / "artifacts" / "mine.txt").is_file()
    process = script(repo, uri)
    assert process.returncode == 0, process.stdout
    counts = "1 of 1 run is there, 0 of them differ; 2 more are only on the server"
    assert counts in process.stdout
    process = script(repo, uri, "-S")  # without any package
    assert process.returncode == 0, process.stdout
    assert "1 of 1 run is there; 2 more are only there." in process.stdout

    before = picture(client)
    folders = import_into(repo, uri)
    assert len(folders) == 2
    build_database(repo.mlruns, repo.build / "mlflow.db")  # while the server runs
    assert picture(client) == before
    moved = client.get_run(new).info.artifact_uri
    folder = layout.run_folders(repo.mlruns)[new]
    assert moved == layout.artifact_uri(folder.parent, new, "artifacts")
    assert verify(repo) == []
    assert "3 of 3 runs are there, 0 of them differ; 0 more" in script(repo, uri).stdout

    client.set_tag(new, "later", "1")
    (other,) = [imported.name for imported in folders if imported.name != new]
    client.delete_run(other)
    process = script(repo, uri)
    assert process.returncode == 1
    assert f"run {new}: the server shows another tag" in process.stdout
    assert "the server does not show it" in process.stdout
    process = script(repo, uri, "-S")
    assert process.returncode == 1
    assert "the server does not show it" in process.stdout
