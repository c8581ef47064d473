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
LOAN = list(golden("credit").values())


def request(**fields: Any) -> Train:
    return Train(algorithm="random_forest", **fields)


def task(models: ModelRepository, **fields: Any) -> str:
    """Return the task that a request for a training is for."""
    return task_of(request(**fields), models)


def refusal(models: ModelRepository, **fields: Any) -> ApiError:
    """Return the error that a request for a training is refused with."""
    with pytest.raises(ApiError) as caught:
        task(models, **fields)
    return caught.value


@pytest.mark.parametrize(
    ("row", "target", "name"),
    [
        (FLOWER, 0, "iris"),
        (HOUSE, 4.5, "housing"),
        (LOAN, "good", "credit"),
    ],
)
def test_rows_without_names_are_for_the_task_with_as_many_fields(
    models: ModelRepository, row: list[Any], target: Any, name: str
) -> None:
    assert task(models, data=[row], target=[target]) == name


@pytest.mark.parametrize("name", ["iris", "housing", "credit"])
def test_records_are_for_the_task_with_their_names_with_the_target_or_without(
    models: ModelRepository, name: str
) -> None:
    record = golden(name)
    target = models.get(name).manifest.target
    value = target.classes[0] if target.classes else 1.5
    with_target = record | {target.name: value}
    assert task(models, data=[record], target=[value]) == name
    assert task(models, data=[with_target]) == name


def test_a_task_that_is_named_comes_first(models: ModelRepository) -> None:
    assert task(models, task="iris", data=[HOUSE]) == "iris"
    assert task(models, task="credit") == "credit"


def test_without_data_it_is_the_default_task(models: ModelRepository) -> None:
    assert task(models) == "housing"


def test_a_task_that_does_not_exist_is_404(models: ModelRepository) -> None:
    error = refusal(models, task="nothing")
    assert error.status == 404


def test_where_no_task_fits_the_error_lists_the_fields_of_each(
    models: ModelRepository,
) -> None:
    error = refusal(models, data=[[1, 2]], target=[0])
    assert error.status == 422
    assert error.message.startswith("body.data.0: no task has 2 fields: credit has")
    assert "iris has the 4 fields sepal_length, sepal_width" in error.message
    error = refusal(models, data=[{"x": 1}])
    assert error.status == 422


@pytest.fixture
def twins(models: ModelRepository, folder: Path) -> ModelRepository:
    """Models with a second task of four fields, which has other classes."""
    (folder / "iris").rename(folder / "leaves")
    target = models.get("iris").manifest.target.model_dump()
    target["classes"] = ["oak", "elm", "ash"]
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
    data = [FLOWER] * len(target)
    assert task(twins, data=data, target=target) == name


@pytest.mark.parametrize("target", [[0, 1], [0.0, 2.0], None])
def test_two_tasks_that_the_target_fits_are_both_named(
    twins: ModelRepository, target: list[float] | None
) -> None:
    error = refusal(twins, data=[FLOWER, FLOWER], target=target)
    assert error.status == 422
    assert error.message == (
        "body.data.0: the tasks iris, leaves have 4 fields: name one of them as task."
    )


@pytest.mark.parametrize("name", ["hyperparameters", "parameters"])
def test_hyperparameters_have_two_names(name: str) -> None:
    body = request(**{name: {"max_depth": 3}})
    assert parameters_of(body) == {"max_depth": 3}


def test_hyperparameters_may_be_left_out() -> None:
    assert parameters_of(request()) == {}


def test_hyperparameters_come_under_one_of_their_names() -> None:
    body = request(hyperparameters={"max_depth": 3}, parameters={"max_depth": 4})
    with pytest.raises(ApiError, match="send one of them"):
        parameters_of(body)
