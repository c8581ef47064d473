"""From Alertmanager's message to the request to GitHub, with the API and the worker
between.
"""

from collections.abc import Iterator

import pytest

from tests.support.api_with_worker import api_with_worker, ended_job
from tests.support.json_content import Json
from tests.support.serving import AUTHORIZED, Api
from tests.support.web_servers import TOKEN, GitHub, github_api

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def github() -> Iterator[GitHub]:
    with pytest.MonkeyPatch.context() as patch, github_api(patch) as server:
        yield server


@pytest.fixture(scope="module")
def api(github: GitHub, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    settings = {
        "GITHUB_TOKEN": TOKEN,
        "GITHUB_REPOSITORY": "someone/mlops",
        "GITHUB_API_URL": f"http://127.0.0.1:{github.server_port}",
    }
    folder = tmp_path_factory.mktemp("alerts")
    with api_with_worker(folder, worker_settings=settings) as running:
        yield running


def alert(
    name: str, task: str = "", features: str = "", status: str = "firing"
) -> Json:
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


def send(api: Api, *alerts: Json) -> Json:
    """Send a message of the webhook's version 4, and return the answer."""
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
    response = api.client.post("/alerts", json=message, headers=AUTHORIZED)
    assert response.status_code == 200, response.text
    answer: Json = response.json()
    return answer


def send_for_job(api: Api, *alerts: Json) -> str:
    """Send alerts, and return the ID of the job that they start or that they find."""
    job = send(api, *alerts)["job"]
    assert job["kind"] == "retrain"
    job_id: str = job["id"]
    return job_id


def test_an_alert_needs_the_key(api: Api) -> None:
    answer = api.client.post("/alerts", json={"alerts": []})
    assert answer.status_code == 401
    answer = api.client.post("/alerts", json={}, headers=AUTHORIZED)
    assert answer.status_code == 422


def test_other_alerts_than_drift_of_a_served_task_are_ignored_and_listed(
    api: Api, github: GitHub
) -> None:
    answer = send(
        api,
        alert("ApiDown"),
        alert("DriftDetected", "wine"),
        alert("DriftDetected"),
        alert("DriftDetected", "iris", status="resolved"),
    )
    assert answer["job"] is None
    assert answer["ignored"] == [
        "ApiDown (firing)",
        "DriftDetected wine (firing)",
        "DriftDetected (firing)",
        "DriftDetected iris (resolved)",
    ]
    assert github.asked == []


@pytest.mark.nightly
def test_drift_starts_one_retrain_however_often_the_alert_comes(
    api: Api, github: GitHub
) -> None:
    github.asked.clear()
    housing = alert("DriftDetected", "housing", "MedInc, Latitude")
    iris = alert("DriftDetected", "iris", "petal_length")
    github.status = 502
    failed = ended_job(api, send_for_job(api, housing))
    assert "GitHub answers 502" in failed["error"]
    github.status = 204
    github.asked.clear()

    answer = send(api, alert("CpuBusy"), housing)
    assert answer["ignored"] == ["CpuBusy (firing)"]
    first = answer["job"]["id"]
    assert send_for_job(api, housing) == first
    job = ended_job(api, first)
    assert job["result"] == {"dispatched": "https://github.com/someone/mlops/actions"}
    assert send_for_job(api, housing) == first
    ((path, _, body),) = github.asked
    assert path == "/repos/someone/mlops/actions/workflows/mlops.yml/dispatches"
    assert body == {
        "ref": "trunk",
        "inputs": {
            "tasks": "housing",
            "reason": "alert DriftDetected: housing (MedInc, Latitude)",
            "refresh_data": "true",
        },
    }

    # A task that drifts later comes with those that still do; it alone is new.
    second = send_for_job(api, housing, iris)
    assert second != first
    assert ended_job(api, second)["status"] == "succeeded"
    _, _, body = github.asked[-1]
    assert body["inputs"]["tasks"] == "iris"
    assert send_for_job(api, iris, housing) == second
    assert len(github.asked) == 2
