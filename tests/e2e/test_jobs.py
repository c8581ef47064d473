"""The paths that change something, with the trainer behind them: each job seen to its end."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from pipeline.git import git
from tests.serving import ROOT, Api, golden, wait_until

pytestmark = pytest.mark.slow
KEY = {"X-API-Key": "a-long-secret"}


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Api]:
    """Return the API over a clone's models, with a trainer in that clone."""
    checkout, state = tmp_path / "checkout", tmp_path / "state"
    git(tmp_path, "clone", "--quiet", str(ROOT), str(checkout))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    trainer = subprocess.Popen(
        [sys.executable, "-m", "pipeline", "--repo", str(checkout), "trainer"],
        cwd=ROOT,
        env={**os.environ, "TRAINER_PORT": port, "TRAINER_STATE": str(state)},
    )
    settings = {
        "API_TRAINER_URL": f"http://127.0.0.1:{port}",
        "API_ADMIN_KEY": KEY["X-API-Key"],
        "API_MODELS": str(checkout / "deployment" / "models"),
    }
    try:
        with Api(tmp_path, None, **settings) as running:
            wait_until(lambda: _answers(f"http://127.0.0.1:{port}/health"), 60)
            yield running
    finally:
        trainer.terminate()
        trainer.wait(30)


def _answers(address: str) -> bool:
    try:
        return httpx.get(address).is_success
    except httpx.HTTPError:
        return False


def finished(api: Api, path: str, body: object) -> dict[str, Any]:
    """Ask for a job, wait for its end and return its result."""
    answer = api.client.post(path, json=body, headers=KEY)
    assert answer.status_code == 202, answer.text
    while (job := api.client.get(f"/jobs/{answer.json()['id']}", headers=KEY).json())[
        "ended"
    ] is None:
        time.sleep(0.3)
    assert job["status"] == "succeeded", job
    result: dict[str, Any] = job["result"]
    return result


def test_versions_are_loaded_trained_and_explained(api: Api) -> None:
    assert api.post("/predict", golden("housing"))["model_version"] > 1
    finished(api, "/models/housing/load", {"version": 1})
    wait_until(lambda: api.post("/predict", golden("housing"))["model_version"] == 1)
    explained = api.post("/explain/housing", golden("housing"))
    predicted = api.post("/predict/housing", golden("housing"))
    assert explained["model_version"] == 1
    assert explained["sum"] == pytest.approx(predicted["prediction"], rel=1e-5)

    body = {"task": "iris", "algorithm": "random_forest", "parameters": {"n_estimators": 5}}
    run_id = finished(api, "/train", body)["run_id"]
    finished(api, f"/model/load/{run_id}", None)
    wait_until(lambda: api.post("/predict/iris", golden("iris"))["run_id"] == run_id)
    assert api.get("/models")["iris"]["algorithm"] == "random_forest"
