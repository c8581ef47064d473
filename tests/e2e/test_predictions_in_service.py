"""Predictions as a client asks for them, on a real server."""

import re
from pathlib import Path

import pytest

from app.serving.model import Model
from tests.support.json_content import Json
from tests.support.service import MODELS, TASKS
from tests.support.serving import HOUSE, Api, edit, golden, served_manifest

pytestmark = pytest.mark.slow
every_task = pytest.mark.parametrize("task", TASKS)


def test_a_request_that_offers_http_2_is_answered(api: Api) -> None:
    """As Java's HttpClient sends it."""
    offer = {
        "Connection": "Upgrade, HTTP2-Settings",
        "Upgrade": "h2c",
        "HTTP2-Settings": "AAMAAABk",
    }
    for task in ("iris", "iris", "credit"):
        path = f"/predict/{task}"
        answer = api.client.post(path, json=golden(task), headers=offer)
        assert answer.status_code == 200, answer.text
    refusal = api.client.post("/predict/iris", json={}, headers=offer)
    assert refusal.status_code == 422


def test_head_is_answered_on_the_same_connection_as_get(api: Api) -> None:
    def counted() -> float:
        return api.metric(
            "http_requests_total",
            method="HEAD",
            route="/health",
            status="200",
        )

    before = counted()
    for path in ("/health", "/models", "/docs", "/metrics", "/nothing", "/health"):
        head = api.client.head(path)
        get = api.client.get(path)
        assert head.status_code == get.status_code
        assert head.content == b""
        assert head.headers["content-type"] == get.headers["content-type"]
    assert counted() == before + 2


def test_the_issues_example_is_answered_as_it_stands(api: Api) -> None:
    answer = api.post("/predict", HOUSE)
    (expected,) = Model(MODELS / "housing").predict([HOUSE])
    prediction = answer.pop("prediction")
    request_id = answer.pop("request_id")
    assert prediction == pytest.approx(expected["prediction"])
    assert re.fullmatch("[0-9a-f]{16}", request_id)
    model = served_manifest("housing")
    assert answer == {
        "task": "housing",
        "unit": "100,000 US$",
        "model_version": model["version"],
        "run_id": model["run_id"],
    }


def check_row(row: Json, single: Json) -> None:
    """Compare one of several predictions with that of the same record alone."""
    for key, value in row.items():
        expected = single[key]
        if not isinstance(value, str):
            expected = pytest.approx(expected, rel=1e-5)
        assert value == expected


@every_task
def test_a_record_a_list_and_a_table_are_answered_alike(api: Api, task: str) -> None:
    path = f"/predict/{task}"
    record = golden(task)
    model = served_manifest(task)
    cells = [record[feature["name"]] for feature in model["features"]]
    single = api.post(path, record)
    listed = api.post(path, [record, record])
    table = api.post(path, {"features": [cells]})
    for answer in (listed, table):
        for row in answer["predictions"]:
            check_row(row, single)


@every_task
def test_a_class_is_predicted_with_its_probabilities(api: Api, task: str) -> None:
    classes = served_manifest(task)["target"]["classes"]
    answer = api.post(f"/predict/{task}", golden(task))
    assert ("probabilities" in answer) == bool(classes)
    if classes:
        probabilities = answer["probabilities"]
        assert answer["prediction"] in classes
        assert list(probabilities) == classes
        assert answer["confidence"] == max(probabilities.values())


def test_ten_thousand_records_are_answered_and_one_more_is_too_many(api: Api) -> None:
    house = list(HOUSE.values())
    body = {"features": [house] * 10_000}
    answer = api.post("/predict", body)
    assert len(answer["predictions"]) == 10_000
    body["features"].append(house)
    problem = api.post("/predict", body, 413)
    assert "more than 10,000 records" in problem["detail"]


def test_a_task_that_was_never_in_the_code_is_served_from_its_manifest(
    tmp_path: Path,
) -> None:
    flower = golden("iris")
    other = Api(tmp_path, API_DEFAULT_TASK="flowers")
    folder = other.models / "flowers"
    (other.models / "iris").rename(folder)
    edit(folder, task="flowers")
    with other:
        for path in ("/predict/flowers", "/predict"):
            assert other.post(path, flower)["task"] == "flowers"
        described = other.get("/openapi.json")["paths"]
        assert "/predict/flowers" in described
        other.post("/predict/iris", flower, 404)
