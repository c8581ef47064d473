"""MLflow in a real cluster: the history in Git, and what notebooks log."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import mlflow
import pytest
from mlflow import MlflowClient
from mlflow.artifacts import download_artifacts

from core.files import sha256_file
from core.git import git
from history import layout, registry
from tests.conftest import commit_all
from tests.kubernetes.stack import NAMESPACE, Stack
from tests.paths import ROOT
from tests.support.waiting import wait_until

HISTORY = ROOT / "mlruns"


@contextmanager
def connected(stack: Stack, patch: pytest.MonkeyPatch) -> Iterator[MlflowClient]:
    """Connect MLflow's own client to the server for a block."""
    patch.setenv("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    with stack.cluster.forwarded(NAMESPACE, "service/mlflow-server", 5000) as port:
        uri = f"http://127.0.0.1:{port}"
        patch.setenv("MLFLOW_TRACKING_URI", uri)
        yield MlflowClient(uri, registry_uri=uri)


def test_every_run_is_there_with_its_artifacts(
    stack: Stack, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folders = layout.run_folders(HISTORY)
    files = 0
    with connected(stack, monkeypatch) as client:
        experiments = [item.experiment_id for item in client.search_experiments()]
        runs = client.search_runs(experiments, max_results=5000)
        assert {run.info.run_id for run in runs} == set(folders)
        for run_id, folder in folders.items():
            artifacts = folder / "artifacts"
            if not artifacts.is_dir():
                assert client.list_artifacts(run_id) == []
                continue
            target = tmp_path / run_id
            target.mkdir()
            copy = client.download_artifacts(run_id, "", str(target))
            files += require_same_files(artifacts, Path(copy))
    print(f"\n{len(runs)} runs, {files} files")


def require_same_files(folder: Path, copy: Path) -> int:
    """Compare the files below two folders and return their number."""
    count = 0
    for path in folder.rglob("*"):
        if path.is_file():
            count += 1
            assert sha256_file(copy / path.relative_to(folder)) == sha256_file(path)
    assert count == sum(path.is_file() for path in copy.rglob("*"))
    return count


def test_every_champion_can_be_downloaded(
    stack: Stack, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with connected(stack, monkeypatch):
        for model in registry.models(HISTORY):
            champion = registry.champion(HISTORY, model)
            assert champion
            target = str(tmp_path / model)
            copy = download_artifacts(f"models:/{model}@champion", dst_path=target)
            files = Path(copy).rglob("*.onnx")
            assert champion.sha256 in map(sha256_file, files)


def test_a_push_is_followed(stack: Stack, tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "--quiet", str(ROOT), str(clone))
    (clone / "text.txt").write_text("pushed")
    commit_all(clone, "feat: push")
    commit = stack.push(clone)

    def followed() -> bool:
        target = ("deployment/mlflow-server", "-c", "follow")
        inside = ("--", "git", "-C", "/repo", "rev-parse", "HEAD")
        output = stack.cluster.kubectl("exec", "-n", NAMESPACE, *target, *inside)
        return output.strip() == commit

    wait_until(followed, 60, 1)


def test_what_a_notebook_logs_is_kept_when_the_pod_is_replaced(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    with connected(stack, monkeypatch):
        mlflow.set_experiment("notebook")
        with mlflow.start_run() as run:
            mlflow.log_metric("rmse", 0.5)
            mlflow.log_text("noted", "note.txt")
    run_id = run.info.run_id
    (before,) = stack.pods("mlflow-server")
    stack.cluster.kubectl("-n", NAMESPACE, "delete", "pod", before)
    stack.await_rollout()
    with connected(stack, monkeypatch) as client:
        assert client.get_run(run_id).data.metrics == {"rmse": 0.5}
        assert mlflow.artifacts.load_text(f"runs:/{run_id}/note.txt") == "noted"
