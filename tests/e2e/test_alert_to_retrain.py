"""From what Alertmanager sends to what GitHub is asked, with the API and the trainer
between.
"""

import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.serving import Api
from tests.support.waiting import PATIENCE_SECONDS
from tests.support.web_servers import TOKEN, GitHub, github_api
from tests.unit.pipeline.worker.service import checkout, running

pytestmark = pytest.mark.slow
KEY = {"X-API-Key": "a key for the tests"}


@pytest.fixture(scope="module")
def github() -> Iterator[GitHub]:
    with pytest.MonkeyPatch.context() as patch, github_api(patch) as server:
        yield server


@pytest.fixture(scope="module")
def api(github: GitHub, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    address = f"http://127.0.0.1:{github.server_port}"
    told = {
        "GITHUB_TOKEN": TOKEN,
        "GITHUB_REPOSITORY": "someone/mlops",
        "GITHUB_API_URL": address,
    }
    with running(checkout(tmp_path_factory.mktemp("checkout")), **told) as trainer:
        settings = {
            "API_ADMIN_KEY": KEY["X-API-Key"],
            "API_TRAINER_URL": f"http://127.0.0.1:{trainer.port}",
        }
        with Api(tmp_path_factory.mktemp("api"), **settings) as found:
            yield found


def alert(
    name: str, task: str = "", features: str = "", status: str = "firing"
) -> dict[str, Any]:
    """Return an alert as Alertmanager sends it."""
    return {
        "status": status,
        "labels": {
            "alertname": name,
            "severity": "warning",
            "job": "mlops-api",
            "task": task,
        },
        "annotations": {"summary": "It drifts.", "features": features},
        "startsAt": "2026-11-21T12:00:00.000Z",
        "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "http://prometheus:9090/graph",
        "fingerprint": "0123456789abcdef",
    }


def tell(api: Api, *alerts: dict[str, Any], status: int = 200) -> Any:
    """Send a message of the webhook's version 4."""
    message = {
        "version": "4",
        "groupKey": '{}:{alertname="DriftDetected"}',
        "truncatedAlerts": 0,
        "status": "firing",
        "receiver": "retrain",
        "groupLabels": {},
        "commonLabels": {},
        "commonAnnotations": {},
        "externalURL": "http://alertmanager:9093",
        "alerts": alerts,
    }
    answer = api.client.post("/alerts", json=message, headers=KEY)
    assert answer.status_code == status, answer.text
    return answer.json()


def ended(api: Api, job: str) -> dict[str, Any]:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        found: dict[str, Any] = api.client.get(f"/jobs/{job}", headers=KEY).json()
        if found["ended"]:
            return found
        assert time.monotonic() < deadline, found
        time.sleep(0.1)


def test_an_alert_needs_the_key(api: Api) -> None:
    assert api.client.post("/alerts", json={"alerts": []}).status_code == 401
    assert api.client.post("/alerts", json={}, headers=KEY).status_code == 422


def test_what_is_no_drift_of_a_task_that_is_served_is_ignored_and_said(
    api: Api, github: GitHub
) -> None:
    ignored = [alert("ApiDown"), alert("DriftDetected", "wine"), alert("DriftDetected")]
    told = tell(api, *ignored, alert("DriftDetected", "iris", status="resolved"))
    assert told["job"] is None
    assert told["ignored"] == [
        "ApiDown (firing)",
        "DriftDetected wine (firing)",
        "DriftDetected (firing)",
        "DriftDetected iris (resolved)",
    ]
    assert github.asked == []


def test_drift_starts_one_retrain_however_often_it_is_told(
    api: Api, github: GitHub
) -> None:
    github.asked.clear()
    housing = alert("DriftDetected", "housing", "MedInc, Latitude")
    iris = alert("DriftDetected", "iris", "petal_length")
    github.status = 502
    refused = ended(api, tell(api, housing)["job"]["id"])
    assert "GitHub answers 502" in refused["error"]
    github.status = 204
    github.asked.clear()

    told = tell(api, alert("CpuBusy"), housing)
    assert told["ignored"] == ["CpuBusy (firing)"] and told["job"]["kind"] == "retrain"
    assert tell(api, housing)["job"]["id"] == told["job"]["id"]
    job = ended(api, told["job"]["id"])
    assert job["result"] == {"dispatched": "https://github.com/someone/mlops/actions"}
    assert tell(api, housing)["job"]["id"] == told["job"]["id"]
    ((path, _, body),) = github.asked
    assert path == "/repos/someone/mlops/actions/workflows/mlops.yml/dispatches"
    reason = "alert DriftDetected: housing (MedInc, Latitude)"
    inputs = {"tasks": "housing", "reason": reason, "refresh_data": "true"}
    assert body == {"ref": "trunk", "inputs": inputs}

    # A task that drifts later comes with those that still do, and is the only one that
    # is new.
    second = tell(api, housing, iris)["job"]
    assert second["id"] != told["job"]["id"]
    assert ended(api, second["id"])["status"] == "succeeded"
    assert github.asked[-1][2]["inputs"]["tasks"] == "iris"
    assert (
        tell(api, iris, housing)["job"]["id"] == second["id"] and len(github.asked) == 2
    )
