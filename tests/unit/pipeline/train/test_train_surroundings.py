"""Whatever the user's machine is set to, a training writes its bundle and nothing else."""

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
    "tasks": {"iris": {"folds": 3, "candidates": {"linear_discriminant": {}}}},
}


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    folder = tmp_path / "checkout"
    (folder / "mlruns").mkdir(parents=True)
    subprocess.run(["git", "init", "--quiet", "-b", "main", folder], check=True)
    (folder / "params.yaml").write_text(yaml.safe_dump(PARAMS))
    (folder / ".gitignore").write_text("build/\n")
    commit_all(folder, "feat: begin")
    return Repo.open(folder)


@pytest.mark.slow
def test_an_empty_home_stays_empty(repo: Repo, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    mine = {
        "HOME",
        "USERPROFILE",
        "MLFLOW_TRACKING_URI",
        "MPLCONFIGDIR",
        "ORT_DISABLE_TELEMETRY",
    }
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in mine and not name.startswith(("XDG_", "MLFLOW_"))
    }
    environment = kept | {
        "HOME": str(home),
        "USERPROFILE": str(home),
        "PYTHONPATH": str(ROOT),
    }
    command = [sys.executable, "-m", "pipeline", "--repo", str(repo.root), "train"]
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    subprocess.run(command, cwd=elsewhere, env=environment, check=True)
    assert [*home.rglob("*")] == [] and [*elsewhere.rglob("*")] == []
    assert git(repo.root, "status", "--porcelain") == ""
    assert bundles.read(repo.build / "bundle").tasks["iris"].challenger


@pytest.mark.slow
def test_a_database_of_the_user_s_gets_the_runs_and_the_history_nothing(
    repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(repo.root)
    monkeypatch.setenv(
        "MLFLOW_TRACKING_URI", f"sqlite:///{(tmp_path / 'mine.db').as_posix()}"
    )
    bundle = train(repo, ["iris"], repo.build / "bundle")
    assert git(repo.root, "status", "--porcelain") == ""
    assert [*repo.mlruns.iterdir()] == [] and verify(repo) == []
    client = MlflowClient(os.environ["MLFLOW_TRACKING_URI"])
    run = client.get_run(bundle.tasks["iris"].run_ids[1])
    assert [file.path for file in client.list_artifacts(run.info.run_id)] == [
        "evaluation.png",
        "permutation_importance.csv",
    ]


def test_an_experiment_that_keeps_its_artifacts_in_the_history_is_refused(
    repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    uri = f"sqlite:///{(tmp_path / 'mine.db').as_posix()}"
    MlflowClient(uri).create_experiment("iris", (repo.mlruns / "1").as_uri())
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    with pytest.raises(
        UsageError, match="keeps its artifacts in mlruns/1, inside the history"
    ):
        train(repo, ["iris"], repo.build / "bundle")
    assert [*repo.mlruns.rglob("*")] == []


def test_a_server_that_is_not_there_is_named_without_its_password(
    repo: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    for waiting in ("FACTOR", "JITTER"):
        monkeypatch.setenv(f"MLFLOW_HTTP_REQUEST_BACKOFF_{waiting}", "0")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://ann:hush@127.0.0.1:9")
    with pytest.raises(PipelineError, match="refused|ConnectionError") as caught:
        train(repo, ["iris"], repo.build / "bundle")
    assert "hush" not in str(caught.value) and "\n" not in str(caught.value)
    assert os.environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] == "2"


@pytest.mark.slow
def test_a_picture_that_fails_is_named_and_ends_nothing(
    repo: Repo, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object) -> None:
        raise ValueError("y_prob has values\noutside [0, 1]")

    monkeypatch.setattr(artifacts, "_chart", fail)
    bundle = train(repo, ["iris"], repo.build / "bundle")
    reason = "evaluation.png: ValueError: y_prob has values outside [0, 1]"
    assert (
        f"iris, linear_discriminant: kept without {reason}" in capsys.readouterr().err
    )
    run_id = bundle.tasks["iris"].run_ids[1]
    folder = layout.run_folders(repo.build / "bundle" / "mlruns")[run_id]
    run = runfile.load(folder / layout.RUN_FILE)
    assert run.status == "FINISHED" and run.tags["missing_artifacts"] == reason
    assert [artifact.path for artifact in run.artifacts] == [
        "permutation_importance.csv"
    ]


@pytest.mark.slow
def test_text_that_mlflow_writes_the_windows_way_is_kept_with_unix_line_ends(
    repo: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_model = mlflow.onnx.save_model

    def save_as_on_windows(model: object, folder: Path, **options: object) -> None:
        save_model(model, folder, **options)
        for path in folder.iterdir():
            if path.suffix != ".onnx":
                path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))

    monkeypatch.setattr(mlflow.onnx, "save_model", save_as_on_windows)
    challenger = train(repo, ["iris"], repo.build / "bundle").tasks["iris"].challenger
    assert challenger
    run = layout.run_folders(repo.build / "bundle" / "mlruns")[challenger.run_id]
    listed = runfile.load(run / layout.RUN_FILE).models[0].artifacts
    folder = run / layout.MODELS / challenger.model_id
    assert {"MLmodel", "conda.yaml", "python_env.yaml"} < {file.path for file in listed}
    for file in listed:
        content = (folder / file.path).read_bytes()
        assert sha256_bytes(content) == file.sha256
        assert file.path.endswith(".onnx") or b"\r" not in content
