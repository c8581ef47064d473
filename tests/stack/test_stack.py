"""What the services do, together, as containers."""

import json
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import mlflow
import pytest
from mlflow import MlflowClient
from mlflow.artifacts import download_artifacts

from core.files import sha256_file
from history import layout, registry
from tests.paths import ROOT
from tests.stack.engine import SCRAPE_SECONDS, Stack, docker, eventually
from tools.documents import stack as documents
from tools.documents.rows.containers import commands_of_compose


@pytest.fixture
def client(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> MlflowClient:
    """Return a client of the stack's MLflow, as a notebook has."""
    uri = stack.url("MLFLOW")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    monkeypatch.setenv("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    return MlflowClient(uri, registry_uri=uri)


def manifests(stack: Stack) -> dict[str, dict[str, Any]]:
    """Return the manifests of the models in service, by task."""
    found = (stack.checkout / "deployment" / "models").glob("*/manifest.json")
    return {path.parent.name: json.loads(path.read_bytes()) for path in found}


def served(client: MlflowClient) -> set[str]:
    """Return the ids of the runs that MLflow shows."""
    experiments = [found.experiment_id for found in client.search_experiments()]
    return {
        run.info.run_id for run in client.search_runs(experiments, max_results=5000)
    }


def test_a_prediction_for_each_task(stack: Stack) -> None:
    for task, manifest in manifests(stack).items():
        golden = manifest["golden"]
        answer = stack.ask("API", f"/predict/{task}", golden["request"])
        assert answer["model_version"] == manifest["version"]
        if manifest["kind"] == "regression":
            assert answer["prediction"] == pytest.approx(golden["answer"], rel=1e-4)
        else:
            chances = [
                answer["probabilities"][name] for name in manifest["target"]["classes"]
            ]
            assert chances == pytest.approx(golden["answer"], rel=1e-4, abs=1e-6)


def test_an_offer_of_http_2_reaches_the_api_with_its_body(stack: Stack) -> None:
    """As Java's HttpClient sends it, by way of the container that holds the port."""
    offer = {
        "Connection": "Upgrade, HTTP2-Settings",
        "Upgrade": "h2c",
        "HTTP2-Settings": "AAMA",
    }
    record = manifests(stack)["iris"]["golden"]["request"]
    with httpx.Client(trust_env=False) as client:
        for _ in range(3):
            answer = client.post(
                stack.url("API", "/predict/iris"), json=record, headers=offer
            )
            assert answer.status_code == 200, answer.text
        assert client.head(stack.url("API", "/health")).status_code == 200


def test_mlflow_shows_every_run_and_champion(
    stack: Stack, client: MlflowClient
) -> None:
    script = [
        sys.executable,
        ROOT / "scripts" / "verify_mlflow_data.py",
        "--repo",
        stack.checkout,
    ]
    command = [*script, "--server", stack.url("MLFLOW")]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False
    )
    runs = len(layout.run_folders(stack.checkout / "mlruns"))
    assert (
        f"{runs} of {runs} runs are there, 0 of them differ" in done.stdout
    ), done.stdout
    for model in registry.models(stack.checkout / "mlruns"):
        newest = registry.champion(stack.checkout / "mlruns", model)
        champion = client.get_model_version_by_alias(model, "champion")
        assert newest and int(champion.version) == newest.version


def test_artifacts_come_through_mlflow(
    stack: Stack, client: MlflowClient, tmp_path: Path
) -> None:
    plots = sorted(stack.checkout.glob("mlruns/*/*/*/artifacts/*.png"))
    run_id = plots[0].parents[1].name
    copied = download_artifacts(
        f"runs:/{run_id}/{plots[0].name}", dst_path=str(tmp_path)
    )
    assert sha256_file(Path(copied)) == sha256_file(plots[0])
    for task, manifest in manifests(stack).items():
        folder = Path(
            download_artifacts(
                f"models:/{task}@champion", dst_path=str(tmp_path / task)
            )
        )
        assert manifest["sha256"] in map(sha256_file, folder.rglob("*.onnx"))


def test_what_a_pull_brings_is_there_within_30_seconds(
    stack: Stack, client: MlflowClient
) -> None:
    known = layout.run_folders(stack.checkout / "mlruns")
    parents = {
        json.loads((f / layout.RUN_FILE).read_bytes())["parent"] for f in known.values()
    }
    run_id, folder = next((r, f) for r, f in known.items() if r not in parents)
    aside = stack.checkout / "aside"
    folder.rename(aside)
    try:
        eventually(
            lambda: run_id not in served(client), 30, "a run that is gone is not shown"
        )
    finally:
        aside.rename(folder)
    eventually(lambda: run_id in served(client), 30, "a new run is shown")


def test_what_a_notebook_logs_outlives_a_stop_and_goes_into_the_history(
    stack: Stack, client: MlflowClient, documented: documents.Stack
) -> None:
    run = client.create_run(client.create_experiment("notebook"))
    client.log_metric(run.info.run_id, "rmse", 0.5)
    client.log_text(run.info.run_id, "noted", "note.txt")
    client.set_terminated(run.info.run_id)
    (kept,) = (stack.checkout / "mlflow-artifacts").glob(
        f"*/{run.info.run_id}/artifacts/note.txt"
    )
    assert kept.read_text("utf-8") == "noted"
    before, moment = (
        stack.ask("API", "/predictions?limit=1"),
        time.time() - SCRAPE_SECONDS,
    )
    counted = stack.counted(moment)

    stack.start_command("--stop")
    assert stack.compose("--profile", "*", "ps", "--all", "--quiet") == ""
    assert "nothing runs" in stack.start_command("--status")
    commands_of_compose(documented)

    assert stack.ask("API", "/predictions?limit=1") == before
    assert counted and stack.counted(moment) == counted
    assert client.get_run(run.info.run_id).data.metrics == {"rmse": 0.5}
    save = [
        "--repo",
        stack.checkout,
        "history",
        "import",
        "--from",
        stack.url("MLFLOW"),
    ]
    subprocess.run(
        [sys.executable, "-m", "pipeline", *save, run.info.run_id], cwd=ROOT, check=True
    )
    (note,) = stack.checkout.glob(
        f"mlruns/notebook/*/{run.info.run_id}/artifacts/note.txt"
    )
    assert note.read_text("utf-8") == "noted"

    def is_history() -> bool:
        return layout.is_history_uri(client.get_run(run.info.run_id).info.artifact_uri)

    eventually(is_history, 30, "a saved run is of the history")
    assert mlflow.artifacts.load_text(f"runs:/{run.info.run_id}/note.txt") == "noted"


def test_a_new_model_is_served_without_a_restart(stack: Stack) -> None:
    path = stack.checkout / "deployment" / "models" / "iris" / "manifest.json"
    content, manifest = path.read_bytes(), manifests(stack)["iris"]
    path.write_text(json.dumps(manifest | {"version": 99}))

    def version() -> int:
        answer = stack.ask("API", "/predict/iris", manifest["golden"]["request"])
        return int(answer["model_version"])

    try:
        eventually(lambda: version() == 99, 20, "the new version is served")
    finally:
        path.write_bytes(content)
    eventually(
        lambda: version() == manifest["version"], 20, "the version before is served"
    )


def test_the_trainer_explains_and_trains(stack: Stack, client: MlflowClient) -> None:
    golden = manifests(stack)["housing"]["golden"]
    answer = stack.ask("API", "/explain/housing", golden["request"])
    assert answer["sum"] == pytest.approx(golden["answer"], rel=1e-4)
    parameters = {"task": "iris", "algorithm": "logistic_regression", "parameters": {}}
    job = stack.ask("API", "/train?wait=0", parameters)["id"]
    ended = eventually(
        lambda: (found := stack.ask("API", f"/jobs/{job}"))["ended"] and found,
        120,
        "the job ends",
    )
    assert ended["status"] == "succeeded", ended["error"]
    assert client.get_run(ended["result"]["run_id"]).info.status == "FINISHED"
    champion = manifests(stack)["iris"]

    def served_run() -> str:
        return str(
            stack.ask("API", "/predict/iris", champion["golden"]["request"])["run_id"]
        )

    trained = ended["result"]["run_id"]
    stack.ask("API", "/models/iris/load", {"run_id": trained})
    eventually(lambda: served_run() == trained, 60, "the trained model is served")
    stack.ask("API", "/models/iris/load", {"version": champion["version"]})
    eventually(
        lambda: served_run() == champion["run_id"], 60, "the champion is served again"
    )


def test_prometheus_sees_all_that_was_started(stack: Stack) -> None:
    jobs = ("mlops-api", "mlflow-server", "node-exporter", "cadvisor", "prometheus")
    expected = {job: ["up"] for job in jobs}
    eventually(lambda: stack.targets() == expected, 60, "the targets are up")


def test_replicas_share_the_port(stack: Stack) -> None:
    stack.up("--scale", "mlops-api=2")
    replicas = stack.containers("mlops-api")
    assert len(replicas) == 2
    eventually(
        lambda: stack.targets()["mlops-api"] == ["up", "up"],
        60,
        "Prometheus finds both replicas",
    )
    second = stack.checkout / "logs" / "api-2.log"
    eventually(second.is_file, 10, "the second replica has a log of its own")
    request = manifests(stack)["iris"]["golden"]["request"]
    ids = {stack.ask("API", "/predict/iris", request)["request_id"] for _ in range(20)}

    def shares() -> list[int]:
        logs = [docker("logs", replica["Id"]) for replica in replicas]
        return [sum(f'"{name}"' in log for name in ids) for log in logs]

    eventually(
        lambda: shares() == [10, 10], 10, "each replica has answered half of them"
    )

    with ThreadPoolExecutor() as pool:
        scaled = pool.submit(stack.up)  # back to one: the other stops while it is asked
        while not scaled.done():
            assert stack.ask("API", "/predict/iris", request)["task"] == "iris"
        scaled.result()
    assert len(stack.containers("mlops-api")) == 1
