"""Predictions and explanations without a task in the path, for the models of the tests."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from app.main import create_app
from app.routes.predict import LARGE_BYTES
from tests.support.json_content import Json
from tests.support.service import TASKS
from tests.support.serving import HOUSE, edit, golden
from tests.unit.app.conftest import MakeSettings


def predict(client: TestClient, path: str, body: Any) -> Json:
    """Return the predictions for a body, without the ID of the request."""
    response = client.post(path, json=body)
    assert response.status_code == 200, response.text
    answer: Json = response.json()
    del answer["request_id"]
    return answer


def sample(client: TestClient, name: str, **labels: str) -> float:
    """Return a metric's value, 0 if it has none."""
    metrics = client.app.metrics  # type: ignore[attr-defined]
    value: float | None = metrics.registry.get_sample_value(name, labels)
    return value or 0


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("count", [0, 1, 300])
def test_the_fields_decide_and_the_answer_is_that_of_the_tasks_own_path(
    shared_client: TestClient, task: str, count: int
) -> None:
    record = golden(task)
    body: Any = [record] * count if count else record
    answer = predict(shared_client, "/predict", body)
    expected = predict(shared_client, f"/predict/{task}", body)
    assert answer == expected
    assert answer["task"] == task
    assert ("prediction" in answer) == (count == 0)
    assert ("predictions" in answer) == (count > 0)


@pytest.mark.parametrize("task", TASKS)
def test_rows_without_names_go_to_the_task_that_alone_is_as_wide(
    shared_client: TestClient, task: str
) -> None:
    row = list(golden(task).values())
    table = {"features": [row] * 2}
    answer = predict(shared_client, "/predict", table)
    expected = predict(shared_client, f"/predict/{task}", table)
    assert answer == expected
    assert answer["task"] == task
    assert len(answer["predictions"]) == 2


def test_a_body_that_is_read_on_a_thread_is_answered_alike(
    shared_client: TestClient,
) -> None:
    rows = LARGE_BYTES // 50
    body = [golden("iris")] * rows
    answer = shared_client.post("/predict", json=body).json()
    assert answer["task"] == "iris"
    assert len(answer["predictions"]) == rows


def send_requests(client: TestClient) -> None:
    """Send requests with and without a task in the path, some of which fit no task."""
    iris = golden("iris")
    credit = golden("credit")
    client.post("/predict", json=iris)
    client.post("/predict", json=credit)
    client.post("/predict", json={"color": 1})
    client.post("/predict", json=iris | {"color": 1})
    client.post("/explain", json=iris)
    client.post("/predict/credit", json=credit)
    client.post("/predict/nothing", json=credit)


def test_the_metrics_count_the_task_that_the_fields_decide(
    settings: MakeSettings, folder: Path
) -> None:
    with TestClient(create_app(settings(), lambda line: None)) as client:
        send_requests(client)
        counts = {}
        for task in TASKS:
            name = "prediction_duration_seconds_count"
            counts[task] = sample(client, name, task=task)
        labels = {"task": "housing", "reason": "invalid"}
        errors = sample(client, "prediction_errors_total", **labels)
    assert counts == {
        "credit": 2,
        "housing": 0,
        "iris": 1,
    }
    # Bodies that fit no task are counted for the default one.
    assert errors == 2


def test_the_log_has_the_task_that_the_fields_decide(
    settings: MakeSettings, folder: Path
) -> None:
    lines: list[Json] = []
    with TestClient(create_app(settings(), lines.append)) as client:
        send_requests(client)
    assert [(line["path"], line.get("task")) for line in lines] == [
        ("/predict", "iris"),
        ("/predict", "credit"),
        ("/predict", None),
        ("/predict", None),
        ("/explain", "iris"),
        ("/predict/credit", "credit"),
        ("/predict/nothing", None),
    ]


def test_a_task_that_is_published_later_competes_for_its_fields(
    client: TestClient, folder: Path
) -> None:
    unpublished = folder.with_name("unpublished")
    (folder / "iris").rename(unpublished)
    record = golden("iris")
    models = client.app.app.app.state.services.models  # type: ignore[attr-defined]
    answer = client.post("/predict", json=record)
    assert answer.json()["task"] == "iris"
    edit(unpublished, task="flowers")
    unpublished.rename(folder / "flowers")
    models.reload(require_stable=False)
    answer = client.post("/predict", json=record)
    assert answer.status_code == 422
    assert "flowers and iris" in answer.json()["detail"]


def test_without_any_model_the_answer_says_what_to_do(
    settings: MakeSettings, tmp_path: Path
) -> None:
    empty = settings(models=tmp_path / "empty")
    with TestClient(create_app(empty, lambda line: None)) as client:
        for path in ("/predict", "/explain"):
            answer = client.post(path, json=HOUSE)
            assert answer.status_code == 503
            assert answer.headers["retry-after"] == "5"
            assert "python -m pipeline publish" in answer.json()["detail"]
        info = client.get("/model/info")
        assert info.status_code == 503


def test_the_first_task_replaces_a_default_task_that_does_not_exist(
    settings: MakeSettings, folder: Path
) -> None:
    shutil.rmtree(folder / "housing")
    with TestClient(create_app(settings(), lambda line: None)) as client:
        info = client.get("/model/info")
        assert info.json()["name"] == "credit"
        answer = client.post("/predict", content=b"{")
        assert answer.status_code == 422
