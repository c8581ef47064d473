"""MLflow over the history of the checkout, and what a notebook logs into it."""

import json
import subprocess
import sys
import time
from pathlib import Path

import mlflow
from mlflow import MlflowClient
from mlflow.artifacts import download_artifacts

from core.files import sha256_file
from history import layout, registry
from tests.paths import ROOT
from tests.stack.engine import SCRAPE_SECONDS, Stack, eventually
from tools.documents import stack as documents
from tools.documents.rows.containers import commands_of_compose


def listed_runs(client: MlflowClient) -> set[str]:
    """Return the ids of the runs that MLflow shows."""
    experiments = []
    for experiment in client.search_experiments():
        experiments.append(experiment.experiment_id)
    runs = client.search_runs(experiments, max_results=5000)
    return {run.info.run_id for run in runs}


def test_mlflow_shows_every_run_and_champion(
    stack: Stack, client: MlflowClient
) -> None:
    history = stack.checkout / "mlruns"
    done = subprocess.run(
        [
            sys.executable,
            "scripts/verify_mlflow_data.py",
            "--repo",
            stack.checkout,
            "--server",
            stack.url("MLFLOW"),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    runs = len(layout.run_folders(history))
    expected = f"{runs} of {runs} runs are there, 0 of them differ"
    assert expected in done.stdout, done.stdout
    for model in registry.models(history):
        newest = registry.champion(history, model)
        champion = client.get_model_version_by_alias(model, "champion")
        assert newest
        assert int(champion.version) == newest.version


def test_artifacts_can_be_downloaded_from_mlflow(
    stack: Stack, client: MlflowClient, tmp_path: Path
) -> None:
    plot = min(stack.checkout.glob("mlruns/*/*/*/artifacts/*.png"))
    run_id = plot.parents[1].name
    copy = download_artifacts(f"runs:/{run_id}/{plot.name}", dst_path=str(tmp_path))
    assert sha256_file(Path(copy)) == sha256_file(plot)
    for task, manifest in stack.manifests().items():
        target = str(tmp_path / task)
        folder = download_artifacts(f"models:/{task}@champion", dst_path=target)
        models = Path(folder).rglob("*.onnx")
        assert manifest["sha256"] in map(sha256_file, models)


def test_what_a_pull_brings_is_there_within_30_seconds(
    stack: Stack, client: MlflowClient
) -> None:
    folder = run_without_children(stack)
    run_id = folder.name
    aside = stack.checkout / "aside"
    folder.rename(aside)
    try:
        eventually(
            lambda: run_id not in listed_runs(client),
            30,
            "a run that was removed is not shown",
        )
    finally:
        aside.rename(folder)
    eventually(lambda: run_id in listed_runs(client), 30, "a new run is shown")


def run_without_children(stack: Stack) -> Path:
    """Return the folder of a run that is the parent of no other run."""
    folders = layout.run_folders(stack.checkout / "mlruns")
    parents = set()
    for folder in folders.values():
        run = json.loads((folder / layout.RUN_FILE).read_bytes())
        parents.add(run["parent"])
    childless = [folders[run_id] for run_id in folders if run_id not in parents]
    return childless[0]


def test_what_a_notebook_logs_survives_a_stop_and_is_imported_into_the_history(
    stack: Stack, client: MlflowClient, documented: documents.Stack
) -> None:
    run_id = log_run(client)
    artifacts = f"{run_id}/artifacts/note.txt"
    (logged,) = (stack.checkout / "mlflow-artifacts").glob(f"*/{artifacts}")
    assert logged.read_text("utf-8") == "noted"
    prediction = stack.ask("API", "/predictions?limit=1")
    moment = time.time() - SCRAPE_SECONDS
    counts = stack.request_counts(moment)
    assert counts

    stop_and_start(stack, documented)

    assert stack.ask("API", "/predictions?limit=1") == prediction
    assert stack.request_counts(moment) == counts
    assert client.get_run(run_id).data.metrics == {"rmse": 0.5}

    import_run(stack, run_id)
    (imported,) = stack.checkout.glob(f"mlruns/notebook/*/{artifacts}")
    assert imported.read_text("utf-8") == "noted"

    def is_in_the_history() -> bool:
        run = client.get_run(run_id)
        return layout.is_history_uri(run.info.artifact_uri)

    eventually(is_in_the_history, 30, "an imported run belongs to the history")
    assert mlflow.artifacts.load_text(f"runs:/{run_id}/note.txt") == "noted"


def log_run(client: MlflowClient) -> str:
    """Log a run with a metric and an artifact as a notebook does; return its id."""
    experiment = client.create_experiment("notebook")
    run = client.create_run(experiment)
    run_id = run.info.run_id
    client.log_metric(run_id, "rmse", 0.5)
    client.log_text(run_id, "noted", "note.txt")
    client.set_terminated(run_id)
    return run_id


def stop_and_start(stack: Stack, documented: documents.Stack) -> None:
    """Stop the stack, and start it with the commands of row 1 of the table."""
    stack.start_command("--stop")
    assert stack.compose("--profile", "*", "ps", "--all", "--quiet") == ""
    assert "nothing runs" in stack.start_command("--status")
    commands_of_compose(documented)


def import_run(stack: Stack, run_id: str) -> None:
    """Import a run of the stack's MLflow into the history of the checkout."""
    command = [
        sys.executable,
        "-m",
        "pipeline",
        "--repo",
        stack.checkout,
        "history",
        "import",
        "--from",
        stack.url("MLFLOW"),
        run_id,
    ]
    subprocess.run(command, cwd=ROOT, check=True)
