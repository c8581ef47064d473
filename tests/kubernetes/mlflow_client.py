"""MLflow in a cluster, as its own client sees it: the history, and what is logged."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import mlflow
import pytest
from mlflow import MlflowClient
from mlflow.artifacts import download_artifacts

from core.files import sha256_file
from history import layout, registry
from tests.kubernetes.stack import NAMESPACE, Stack
from tests.paths import ROOT

HISTORY = ROOT / "mlruns"


@contextmanager
def connected(stack: Stack, patch: pytest.MonkeyPatch) -> Iterator[MlflowClient]:
    """Connect MLflow's own client to the server for a block."""
    patch.setenv("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    with stack.cluster.forwarded(NAMESPACE, "service/mlflow-server", 5000) as port:
        uri = f"http://127.0.0.1:{port}"
        patch.setenv("MLFLOW_TRACKING_URI", uri)
        yield MlflowClient(uri, registry_uri=uri)


def require_every_run(client: MlflowClient, folder: Path) -> None:
    """Compare all runs and all their files with the history in Git.

    Args:
        folder: an empty folder for the files.
    """
    folders = layout.run_folders(HISTORY)
    experiments = [item.experiment_id for item in client.search_experiments()]
    runs = client.search_runs(experiments, max_results=5000)
    assert {run.info.run_id for run in runs} == set(folders)
    files = 0
    for run_id, source in folders.items():
        artifacts = source / "artifacts"
        if not artifacts.is_dir():
            assert client.list_artifacts(run_id) == []
            continue
        target = folder / run_id
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


def require_every_champion(folder: Path) -> None:
    """Download each model in service by its alias, and compare its digest."""
    for model in registry.models(HISTORY):
        champion = registry.champion(HISTORY, model)
        assert champion
        target = str(folder / model)
        copy = download_artifacts(f"models:/{model}@champion", dst_path=target)
        files = Path(copy).rglob("*.onnx")
        assert champion.sha256 in map(sha256_file, files)


def log_run() -> str:
    """Log a run with a metric and a file, as a notebook does, and return its ID."""
    mlflow.set_experiment("notebook")
    with mlflow.start_run() as run:
        mlflow.log_metric("rmse", 0.5)
        mlflow.log_text("noted", "note.txt")
    run_id: str = run.info.run_id
    return run_id


def require_logged(client: MlflowClient, run_id: str) -> None:
    """Check the metric and the file of such a run."""
    assert client.get_run(run_id).data.metrics == {"rmse": 0.5}
    assert mlflow.artifacts.load_text(f"runs:/{run_id}/note.txt") == "noted"
