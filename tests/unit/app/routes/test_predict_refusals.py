"""Requests without a task in the path that fit no task, several tasks, or break a rule."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from app.main import create_app
from tests.support.problems import problem_of
from tests.support.service import TASKS
from tests.support.serving import HOUSE, edit, golden
from tests.unit.app.conftest import MakeSettings

IRIS = golden("iris")
IRIS_ROW = list(IRIS.values())
HOUSE_ROW = list(golden("housing").values())


@pytest.fixture
def with_twin(settings: MakeSettings, folder: Path) -> Iterator[TestClient]:
    """The API with a second task that has the fields of iris."""
    shutil.copytree(folder / "iris", folder / "flowers")
    edit(folder / "flowers", task="flowers")
    with TestClient(create_app(settings(), lambda line: None)) as client:
        yield client


@pytest.mark.parametrize("path", ["/predict", "/explain"])
@pytest.mark.parametrize(
    "body",
    [
        {},
        {"color": 1},
        [{"color": 1}],
        {"features": [[1, 2]]},
    ],
)
def test_where_no_task_fits_the_tasks_are_listed(
    shared_client: TestClient, path: str, body: object
) -> None:
    answer = shared_client.post(path, json=body)
    assert answer.status_code == 422
    sentences = [fault["detail"] for fault in problem_of(answer)["errors"]]
    assert [sentence.split()[0] for sentence in sentences] == TASKS
    fields = "sepal_length, sepal_width, petal_length and petal_width"
    assert sentences[2].endswith(fields)


@pytest.mark.parametrize("path", ["/predict", "/explain"])
@pytest.mark.parametrize(
    "body",
    [
        IRIS,
        [IRIS] * 2,
        {"features": [IRIS_ROW]},
    ],
)
def test_two_tasks_with_the_same_fields_are_both_named(
    with_twin: TestClient, path: str, body: object
) -> None:
    answer = with_twin.post(path, json=body)
    assert answer.status_code == 422
    assert "the tasks flowers and iris have" in answer.json()["detail"]
    for task in ("flowers", "iris"):
        answer = with_twin.post(f"/predict/{task}", json=body)
        assert answer.json()["task"] == task
    answer = with_twin.post("/predict", json=HOUSE)
    assert answer.json()["task"] == "housing"


@pytest.mark.parametrize("verb", ["predict", "explain"])
def test_what_only_a_path_can_decide_is_not_in_the_document(
    with_twin: TestClient, verb: str
) -> None:
    document = with_twin.get("/openapi.json").json()
    operation = document["paths"][f"/{verb}"]["post"]
    content = operation["requestBody"]["content"]["application/json"]
    schema = document["components"]["schemas"][f"{verb.capitalize()}Request"]
    text = f"{content['examples']} {schema}"
    assert "CreditRecord" in text
    assert "HousingTable" in text
    assert "Iris" not in text
    assert "Flowers" not in text
    assert f"/{verb}/flowers" in document["paths"]
    assert f"/{verb}/iris" in document["paths"]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        (IRIS | {"petal_width": "wide"}, "#/petal_width"),
        (IRIS | {"petal_width": True}, "#/petal_width"),
        (IRIS | {"petal_width": 1e39}, "#/petal_width"),
        ([IRIS, HOUSE], "#/1/sepal_length"),
        (golden("credit") | {"purpose": "yacht"}, "#/purpose"),
        ({"features": [IRIS_ROW, HOUSE_ROW]}, "#/features/1"),
    ],
)
def test_the_rules_of_the_task_with_the_fields_apply(
    shared_client: TestClient, body: object, pointer: str
) -> None:
    answer = shared_client.post("/predict", json=body)
    assert answer.status_code == 422
    assert problem_of(answer)["errors"][0]["pointer"] == pointer


@pytest.mark.parametrize("path", ["/predict", "/explain"])
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff",
        b"[]",
        b"1",
        b"[1]",
        b'{"features": []}',
    ],
)
def test_a_body_without_a_record_is_refused_as_the_default_task_refuses_it(
    shared_client: TestClient, path: str, body: bytes
) -> None:
    answer = shared_client.post(path, content=body)
    of_default_task = shared_client.post(f"{path}/housing", content=body)
    assert answer.status_code == 422
    assert of_default_task.status_code == 422
    assert answer.json()["detail"] == of_default_task.json()["detail"]


def test_a_task_that_is_not_ready_is_named_where_none_fits(
    settings: MakeSettings, folder: Path
) -> None:
    (folder / "iris" / "model.onnx").write_bytes(b"")
    with TestClient(create_app(settings(), lambda line: None)) as client:
        answer = client.post("/predict", json=IRIS)
        assert answer.status_code == 503
        assert "iris: model.onnx" in answer.json()["detail"]
        answer = client.post("/predict", json=HOUSE)
        assert answer.json()["task"] == "housing"
