"""Predictions and explanations without a task in the path, for the models of the tests."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from app.main import create_app
from app.routes.predict import LARGE_BYTES
from app.settings import Settings
from tests.support.problems import problem_of
from tests.support.service import TASKS
from tests.support.serving import HOUSE, edit, golden

MakeSettings = Callable[..., Settings]
Lines = list[dict[str, Any]]


def row(task: str) -> list[Any]:
    """Return the task's example without the names."""
    return [*golden(task).values()]


def without_id(answer: Any) -> Any:
    assert answer.status_code == 200, answer.text
    return {key: value for key, value in answer.json().items() if key != "request_id"}


def value_of(client: TestClient, name: str, **labels: str) -> float:
    metrics = client.app.metrics  # type: ignore[attr-defined]
    found: float | None = metrics.registry.get_sample_value(name, labels)
    return found or 0


@pytest.fixture
def with_twin(settings: MakeSettings, folder: Path) -> Iterator[TestClient]:
    """The API with a task that has the fields of iris, and one that is not ready."""
    shutil.copytree(folder / "iris", folder / "flowers")
    edit(folder / "flowers", task="flowers")
    with TestClient(create_app(settings(), lambda line: None)) as client:
        yield client


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("count", [0, 1, 300])
def test_the_fields_decide_and_the_answer_is_that_of_the_tasks_own_path(
    shared_client: TestClient, task: str, count: int
) -> None:
    body: Any = [golden(task)] * count if count else golden(task)
    answer = without_id(shared_client.post("/predict", json=body))
    assert answer == without_id(shared_client.post(f"/predict/{task}", json=body))
    assert answer["task"] == task
    assert ("prediction" in answer, "predictions" in answer) == (not count, bool(count))


@pytest.mark.parametrize("task", TASKS)
def test_rows_without_names_go_to_the_task_that_alone_is_as_wide(
    shared_client: TestClient, task: str
) -> None:
    table = {"features": [row(task)] * 2}
    answer = without_id(shared_client.post("/predict", json=table))
    assert answer == without_id(shared_client.post(f"/predict/{task}", json=table))
    assert (answer["task"], len(answer["predictions"])) == (task, 2)


def test_a_body_that_is_read_on_a_thread_is_answered_alike(
    shared_client: TestClient,
) -> None:
    body = [golden("iris")] * (LARGE_BYTES // 50)
    answer = shared_client.post("/predict", json=body).json()
    assert (answer["task"], len(answer["predictions"])) == ("iris", len(body))


@pytest.mark.parametrize("path", ["/predict", "/explain"])
@pytest.mark.parametrize(
    "body", [{}, {"color": 1}, [{"color": 1}], {"features": [[1, 2]]}]
)
def test_where_no_task_fits_the_tasks_are_listed(
    shared_client: TestClient, path: str, body: object
) -> None:
    answer = shared_client.post(path, json=body)
    assert answer.status_code == 422
    sentences = [fault["detail"] for fault in problem_of(answer)["errors"]]
    assert [sentence.split()[0] for sentence in sentences] == TASKS
    assert sentences[2].endswith(
        "sepal_length, sepal_width, petal_length and petal_width"
    )


@pytest.mark.parametrize("path", ["/predict", "/explain"])
@pytest.mark.parametrize(
    "body", [golden("iris"), [golden("iris")] * 2, {"features": [row("iris")]}]
)
def test_two_tasks_with_the_same_fields_are_both_named(
    with_twin: TestClient, path: str, body: object
) -> None:
    answer = with_twin.post(path, json=body)
    assert answer.status_code == 422
    assert "the tasks flowers and iris have" in answer.json()["detail"]
    for task in ("flowers", "iris"):
        assert with_twin.post(f"/predict/{task}", json=body).json()["task"] == task
    assert with_twin.post("/predict", json=HOUSE).json()["task"] == "housing"


def test_what_only_a_path_can_decide_is_not_in_the_document(
    with_twin: TestClient,
) -> None:
    document = with_twin.get("/openapi.json").json()
    for verb in ("predict", "explain"):
        described = document["paths"][f"/{verb}"]["post"]["requestBody"]["content"]
        request = document["components"]["schemas"][f"{verb.capitalize()}Request"]
        text = f"{described['application/json']['examples']} {request}"
        assert "CreditRecord" in text
        assert "HousingTable" in text
        assert "Iris" not in text
        assert "Flowers" not in text
        assert f"/{verb}/flowers" in document["paths"]
        assert f"/{verb}/iris" in document["paths"]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        (golden("iris") | {"petal_width": "wide"}, "#/petal_width"),
        (golden("iris") | {"petal_width": True}, "#/petal_width"),
        (golden("iris") | {"petal_width": 1e39}, "#/petal_width"),
        ([golden("iris"), HOUSE], "#/1/sepal_length"),
        (golden("credit") | {"purpose": "yacht"}, "#/purpose"),
        ({"features": [row("iris"), row("housing")]}, "#/features/1"),
    ],
)
def test_the_rules_of_the_task_that_was_found_hold(
    shared_client: TestClient, body: object, pointer: str
) -> None:
    answer = shared_client.post("/predict", json=body)
    assert answer.status_code == 422
    assert problem_of(answer)["errors"][0]["pointer"] == pointer


@pytest.mark.parametrize("path", ["/predict", "/explain"])
@pytest.mark.parametrize(
    "body", [b"", b"{", b"\xff", b"[]", b"1", b"[1]", b'{"features": []}']
)
def test_a_body_without_a_record_is_refused_as_the_default_task_refuses_it(
    shared_client: TestClient, path: str, body: bytes
) -> None:
    answer, own = (
        shared_client.post(p, content=body) for p in (path, f"{path}/housing")
    )
    assert answer.status_code == own.status_code == 422
    assert answer.json()["detail"] == own.json()["detail"]


def test_the_metrics_and_the_log_say_which_task_it_was(
    settings: MakeSettings, folder: Path
) -> None:
    lines: Lines = []
    with TestClient(create_app(settings(), lines.append)) as client:
        for body in (
            golden("iris"),
            golden("credit"),
            {"color": 1},
            golden("iris") | {"color": 1},
        ):
            client.post("/predict", json=body)
        client.post("/explain", json=golden("iris"))
        client.post("/predict/credit", json=golden("credit"))
        client.post("/predict/nothing", json=golden("credit"))
        counts = [
            value_of(client, "prediction_duration_seconds_count", task=task)
            for task in TASKS
        ]
        assert counts == [2, 0, 1]
        assert (
            value_of(
                client, "prediction_errors_total", task="housing", reason="invalid"
            )
            == 2
        )
    told = [(line["path"], line.get("task")) for line in lines]
    assert told[:4] == [("/predict", task) for task in ("iris", "credit", None, None)]
    assert told[4:] == [
        ("/explain", "iris"),
        ("/predict/credit", "credit"),
        ("/predict/nothing", None),
    ]


def test_a_task_that_is_published_later_is_found(
    client: TestClient, folder: Path
) -> None:
    (folder / "iris").rename(folder.with_name("unpublished"))
    with_iris = golden("iris")
    models = client.app.app.app.state.services.models  # type: ignore[attr-defined]
    assert client.post("/predict", json=with_iris).json()["task"] == "iris"
    edit(folder.with_name("unpublished"), task="flowers")
    folder.with_name("unpublished").rename(folder / "flowers")
    models.reload(require_stable=False)
    answer = client.post("/predict", json=with_iris)
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
        assert client.get("/model/info").status_code == 503


def test_a_task_that_is_not_ready_is_named_where_none_fits(
    settings: MakeSettings, folder: Path
) -> None:
    (folder / "iris" / "model.onnx").write_bytes(b"")
    with TestClient(create_app(settings(), lambda line: None)) as client:
        answer = client.post("/predict", json=golden("iris"))
        assert answer.status_code == 503
        assert "iris: model.onnx" in answer.json()["detail"]
        assert client.post("/predict", json=HOUSE).json()["task"] == "housing"


def test_the_first_task_stands_in_for_a_default_one_that_there_is_not(
    settings: MakeSettings, folder: Path
) -> None:
    shutil.rmtree(folder / "housing")
    with TestClient(create_app(settings(), lambda line: None)) as client:
        assert client.get("/model/info").json()["name"] == "credit"
        assert client.post("/predict", content=b"{").status_code == 422
