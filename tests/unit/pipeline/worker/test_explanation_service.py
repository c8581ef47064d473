"""Explanations over HTTP."""

import threading
import time
from typing import Any

import httpx
import pytest

from tests.support.json_content import Json
from tests.support.waiting import PATIENCE_SECONDS
from tests.unit.pipeline.worker.service import Service, read_manifest

pytestmark = pytest.mark.slow
OFFER_OF_HTTP_2 = {
    "Connection": "Upgrade, HTTP2-Settings",
    "Upgrade": "h2c",
    "HTTP2-Settings": "AAMA",
}


def body_for(service: Service, task: str, count: int = 1) -> Json:
    """Return a request to explain a task's golden record, some times over."""
    folder = service.repo.models / task
    manifest = read_manifest(folder)
    record = manifest["golden"]["request"]
    return {
        "sha256": manifest["sha256"],
        "records": [record] * count,
    }


def client_of(service: Service) -> httpx.Client:
    return httpx.Client(base_url=service.address, timeout=PATIENCE_SECONDS)


def test_it_ignores_an_offer_of_http_2(service: Service) -> None:
    body = body_for(service, "iris")
    with client_of(service) as client:
        answer = client.post("/explain/iris", json=body, headers=OFFER_OF_HTTP_2)
    assert answer.status_code == 200, answer.text


def test_it_answers_head(service: Service) -> None:
    with client_of(service) as client:
        get = client.get("/health")
        head = client.head("/health")
        missing = client.head("/jobs/none")
    assert head.status_code == 200
    assert head.content == b""
    assert head.headers["content-length"] == get.headers["content-length"]
    assert missing.status_code == 404


def test_it_answers_other_requests_during_an_explanation(service: Service) -> None:
    body = body_for(service, "credit", count=5)
    answers: list[tuple[int, Any]] = []

    def explain() -> None:
        answer = service.call("/explain/credit", body)
        answers.append(answer)

    explanation = threading.Thread(target=explain)
    explanation.start()
    durations = []
    while explanation.is_alive():
        began = time.monotonic()
        assert service.status("/health") == 200
        duration = time.monotonic() - began
        durations.append(duration)
        time.sleep(0.1)
    assert len(durations) > 5
    assert max(durations) < 2

    status, answer = answers[0]
    assert status == 200
    assert answer["sha256"] == body["sha256"]
    explanations = answer["explanations"]
    assert len(explanations) == 5
    for entry in explanations:
        assert set(entry) == {"output", "base_value", "values", "sum", "prediction"}
        prediction = entry["prediction"]
        assert entry["sum"] == pytest.approx(prediction, rel=1e-6)


def test_an_unknown_task_is_answered_with_the_choice(service: Service) -> None:
    body = body_for(service, "iris")
    message = "there is no task 'wine': choose from credit, housing, iris."
    assert service.call("/explain/wine", body) == (404, {"detail": message})
    assert service.status("/explain/%2e%2e", body) == 404


def test_a_model_that_is_not_in_service_is_a_conflict(service: Service) -> None:
    body = {"sha256": "0" * 64, "records": [{}]}
    status, answer = service.call("/explain/iris", body)
    assert status == 409
    assert "iris is not in service" in answer["detail"]


def test_a_released_model_that_the_checkout_lacks_is_explained(
    service: Service,
) -> None:
    body = body_for(service, "housing")
    folder = service.repo.models / "housing"
    released = service.state / "released" / "housing"
    released.parent.mkdir(parents=True, exist_ok=True)
    folder.rename(released)
    try:
        status = service.status("/explain/housing", body)
    finally:
        released.rename(folder)
    assert status == 200


@pytest.mark.parametrize(
    "records",
    [
        [],
        [{}] * 101,
        [{"petal_length": 1}],
        "all",
        None,
    ],
)
def test_records_that_cannot_be_explained_are_refused(
    service: Service, records: object
) -> None:
    body = body_for(service, "iris")
    body["records"] = records
    status, answer = service.call("/explain/iris", body)
    assert status == 422
    assert isinstance(answer["detail"], str)
