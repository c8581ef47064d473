"""Which task a training is for: as its path names none, its rows and targets decide."""

from pathlib import Path
from typing import Any

import pytest

from app.errors import ApiError
from app.routes.train import Train, parameters_of, task_of
from app.serving.repository import ModelRepository
from tests.support.serving import edit, golden

FLOWER = [5.1, 3.5, 1.4, 0.2]
HOUSE = [8.3, 41, 6.9, 1.0, 322, 2.5, 37.9, -122.2]


def task(models: ModelRepository, **asked: Any) -> str:
    body = Train.model_validate({"algorithm": "random_forest"} | asked)
    return task_of(body, models)


def refusal(models: ModelRepository, **asked: Any) -> tuple[int, str]:
    with pytest.raises(ApiError) as caught:
        task(models, **asked)
    return caught.value.status, caught.value.message


def test_rows_without_names_are_for_the_task_with_as_many_fields(
    models: ModelRepository,
) -> None:
    assert task(models, data=[FLOWER], target=[0]) == "iris"
    assert task(models, data=[HOUSE], target=[4.5]) == "housing"
    assert (
        task(models, data=[list(golden("credit").values())], target=["good"])
        == "credit"
    )


@pytest.mark.parametrize("name", ["iris", "housing", "credit"])
def test_records_are_for_the_task_with_their_names_whether_the_target_is_among_them(
    models: ModelRepository, name: str
) -> None:
    record = golden(name)
    target = models.get(name).manifest.target
    value = target.classes[0] if target.classes else 1.5
    assert task(models, data=[record], target=[value]) == name
    assert task(models, data=[record | {target.name: value}]) == name


def test_a_task_that_is_named_comes_first_and_without_data_it_is_the_default(
    models: ModelRepository,
) -> None:
    assert task(models, task="iris", data=[HOUSE]) == "iris"
    assert task(models, task="credit") == "credit"
    assert task(models) == "housing"
    assert refusal(models, task="nothing")[0] == 404


def test_data_that_fit_no_task_are_told_what_the_tasks_have(
    models: ModelRepository,
) -> None:
    status, message = refusal(models, data=[[1, 2]], target=[0])
    assert status == 422
    assert message.startswith("body.data.0: no task has 2 fields: credit has")
    assert "iris has the 4 fields sepal_length, sepal_width" in message
    assert refusal(models, data=[{"x": 1}])[0] == 422


@pytest.fixture
def twins(models: ModelRepository, folder: Path) -> ModelRepository:
    """Models with a second task of four fields, whose classes are others."""
    (folder / "iris").rename(folder / "leaves")
    target = models.get("iris").manifest.target.model_dump() | {
        "classes": ["oak", "elm", "ash"]
    }
    edit(folder / "leaves", task="leaves", target=target)
    models.reload(require_stable=False)
    return models


@pytest.mark.parametrize(
    ("target", "name"),
    [
        (["elm", "oak"], "leaves"),
        (["setosa"], "iris"),
        (["virginica", "setosa"], "iris"),
    ],
)
def test_of_tasks_with_the_same_fields_the_target_chooses(
    twins: ModelRepository, target: list[str], name: str
) -> None:
    assert task(twins, data=[FLOWER] * len(target), target=target) == name


@pytest.mark.parametrize("target", [[0, 1], [0.0, 2.0], None])
def test_if_it_fits_both_both_are_named(
    twins: ModelRepository, target: list[float] | None
) -> None:
    status, message = refusal(twins, data=[FLOWER, FLOWER], target=target)
    assert status == 422
    assert (
        message
        == "body.data.0: the tasks iris, leaves have 4 fields: name one of them as"
        " task."
    )


def test_hyperparameters_have_two_names_and_come_under_one() -> None:
    def given(**asked: Any) -> object:
        return parameters_of(
            Train.model_validate({"algorithm": "random_forest"} | asked)
        )

    assert given(hyperparameters={"max_depth": 3}) == given(parameters={"max_depth": 3})
    assert given() == {}
    with pytest.raises(ApiError, match="send one of them"):
        given(hyperparameters={"max_depth": 3}, parameters={"max_depth": 4})
