"""A training writes its bundle and nothing else, with any settings of a machine."""

import os
import subprocess
import sys
from pathlib import Path

import mlflow.onnx
import pytest
import yaml
from mlflow import MlflowClient

from core.errors import PipelineError, UsageError
from core.files import sha256_bytes
from core.git import git
from history import layout, runfile
from pipeline import bundle as bundles
from pipeline.repo import Repo
from pipeline.train import artifacts
from pipeline.train.train import train
from pipeline.verification import verify
from tests.conftest import commit_all
from tests.paths import ROOT

PARAMS = {
    "seed": 7,
    "holdout_share": 0.2,
    "tasks": {
        "iris": {
            "folds": 3,
            "candidates": {"linear_discriminant": {}},
        },
    },
}
# Variables that the tests' own process may have for its libraries.
OF_LIBRARIES = {"MPLCONFIGDIR", "ORT_DISABLE_TELEMETRY"}


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    folder = tmp_path / "checkout"
    (folder / "mlruns").mkdir(parents=True)
    git(folder, "init", "--quiet", "-b", "main")
    params = folder / "params.yaml"
    params.write_text(yaml.safe_dump(PARAMS))
    ignored = folder / ".gitignore"
    ignored.write_text("build/\n")
    commit_all(folder, "feat: begin")
    return Repo.open(folder)


@pytest.mark.slow
def test_an_empty_home_stays_empty(repo: Repo, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    subprocess.run(
        [sys.executable, "-m", "pipeline", "--repo", str(repo.root), "train"],
        cwd=elsewhere,
        env=environment_of(home),
        check=True,
    )
    assert list(home.rglob("*")) == []
    assert list(elsewhere.rglob("*")) == []
    assert git(repo.root, "status", "--porcelain") == ""
    bundle = bundles.read(repo.build / "bundle")
    assert bundle.tasks["iris"].challenger


def environment_of(home: Path) -> dict[str, str]:
    """Return the environment of a user who has set nothing but their home folder."""
    environment = {}
    for name, value in os.environ.items():
        is_of_library = name in OF_LIBRARIES
        if not is_of_library and not name.startswith(("XDG_", "MLFLOW_")):
            environment[name] = value
    environment["HOME"] = str(home)
    environment["USERPROFILE"] = str(home)
    environment["PYTHONPATH"] = str(ROOT)
    return environment


@pytest.mark.slow
def test_a_database_of_the_user_s_gets_the_runs_and_the_history_nothing(
    repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    uri = database_in(tmp_path)
    monkeypatch.chdir(repo.root)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    bundle = train(repo, ["iris"], repo.build / "bundle")
    assert git(repo.root, "status", "--porcelain") == ""
    assert list(repo.mlruns.iterdir()) == []
    assert verify(repo) == []
    client = MlflowClient(uri)
    run_id = bundle.tasks["iris"].run_ids[1]
    paths = [file.path for file in client.list_artifacts(run_id)]
    assert paths == ["evaluation.png", "permutation_importance.csv"]


def database_in(folder: Path) -> str:
    """Return the address of a database in a folder."""
    path = folder / "mine.db"
    return f"sqlite:///{path.as_posix()}"


def test_an_experiment_that_keeps_its_artifacts_in_the_history_is_refused(
    repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    uri = database_in(tmp_path)
    artifacts_folder = repo.mlruns / "1"
    client = MlflowClient(uri)
    client.create_experiment("iris", artifacts_folder.as_uri())
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    message = "keeps its artifacts in mlruns/1, inside the history"
    with pytest.raises(UsageError, match=message):
        train(repo, ["iris"], repo.build / "bundle")
    assert list(repo.mlruns.rglob("*")) == []


def test_a_server_that_is_not_there_is_named_without_its_password(
    repo: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    for part in ("FACTOR", "JITTER"):
        monkeypatch.setenv(f"MLFLOW_HTTP_REQUEST_BACKOFF_{part}", "0")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://ann:hush@127.0.0.1:9")
    with pytest.raises(PipelineError, match="refused|ConnectionError") as caught:
        train(repo, ["iris"], repo.build / "bundle")
    message = str(caught.value)
    assert "hush" not in message
    assert "\n" not in message
    assert os.environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] == "2"


@pytest.mark.slow
def test_a_chart_that_fails_is_reported_and_ends_nothing(
    repo: Repo, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object) -> None:
        raise ValueError("y_prob has values\noutside [0, 1]")

    monkeypatch.setattr(artifacts, "_chart", fail)
    bundle = train(repo, ["iris"], repo.build / "bundle")
    reason = "evaluation.png: ValueError: y_prob has values outside [0, 1]"
    notice = f"iris, linear_discriminant: kept without {reason}"
    assert notice in capsys.readouterr().err
    run_id = bundle.tasks["iris"].run_ids[1]
    folder = run_folder(repo, run_id)
    run = runfile.load(folder / layout.RUN_FILE)
    assert run.status == "FINISHED"
    assert run.tags["missing_artifacts"] == reason
    paths = [artifact.path for artifact in run.artifacts]
    assert paths == ["permutation_importance.csv"]


def run_folder(repo: Repo, run_id: str) -> Path:
    """Return the folder of one of the bundle's runs."""
    folders = layout.run_folders(repo.build / "bundle" / "mlruns")
    return folders[run_id]


@pytest.mark.slow
def test_the_line_ends_that_mlflow_writes_on_windows_become_those_of_unix(
    repo: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_model = mlflow.onnx.save_model

    def save_as_on_windows(model: object, folder: Path, **options: object) -> None:
        save_model(model, folder, **options)
        for path in folder.iterdir():
            if path.suffix == ".onnx":
                continue
            content = path.read_bytes()
            with_crlf = content.replace(b"\n", b"\r\n")
            path.write_bytes(with_crlf)

    monkeypatch.setattr(mlflow.onnx, "save_model", save_as_on_windows)
    bundle = train(repo, ["iris"], repo.build / "bundle")
    challenger = bundle.tasks["iris"].challenger
    assert challenger
    place = run_folder(repo, challenger.run_id)
    folder = place / layout.MODELS / challenger.model_id
    run = runfile.load(place / layout.RUN_FILE)
    files = run.models[0].artifacts
    paths = {file.path for file in files}
    assert paths > {"MLmodel", "conda.yaml", "python_env.yaml"}
    for file in files:
        content = (folder / file.path).read_bytes()
        assert sha256_bytes(content) == file.sha256
        is_text = not file.path.endswith(".onnx")
        if is_text:
            assert b"\r" not in content
