"""Requests without a task in the path whose fields fit no task, or several."""

from typing import Any

import pytest

from app.errors import ApiError
from app.serving.field_errors import MAX_NAMES
from app.serving.task_by_fields import TasksByFields
from tests.support.tasks_by_fields import FIELDS, TASKS, record, task_of


def refusal(body: Any, tasks: TasksByFields = TASKS) -> ApiError:
    """Return the error that a request is refused with."""
    with pytest.raises(ApiError) as caught:
        task_of(body, tasks)
    return caught.value


@pytest.mark.parametrize(
    ("body", "place", "pointer"),
    [
        (record("house"), "body", "#"),
        ([record("villa")], "body.0", "#/0"),
    ],
)
def test_two_tasks_with_the_same_fields_are_both_named(
    body: Any, place: str, pointer: str
) -> None:
    error = refusal(body)
    assert error.status == 422
    assert error.message == (
        f"{place}: the tasks house and villa have the same fields: name one in the"
        " path."
    )
    house, villa = error.errors
    assert house.detail == "house has the fields rooms, age and income"
    assert house.pointer == pointer
    assert villa.detail == "villa has the fields income, rooms and age"
    assert villa.pointer == pointer


def test_two_tasks_with_as_many_fields_are_both_named() -> None:
    error = refusal({"features": [[1, 2]]})
    assert error.status == 422
    assert error.message == (
        "body.features.0: the tasks flower and tree have 2 fields each: name one in"
        " the path, or send records with the names of their fields."
    )


def test_three_tasks_are_named_as_well() -> None:
    tasks = TasksByFields(dict.fromkeys("cab", ["x"]))
    error = refusal({"x": 1}, tasks)
    assert "the tasks a, b and c have the same fields" in error.message


@pytest.mark.parametrize("body", [{}, {"color": 1}, {"Rooms": 1, "AGE": 2}])
def test_where_no_task_fits_all_are_listed_with_their_fields(body: Any) -> None:
    error = refusal(body)
    assert error.status == 422
    assert error.message == (
        "body: no task has these fields: the tasks are flower, house, loan, tree and"
        " villa."
    )
    details = [fault.detail for fault in error.errors]
    named = [detail.split()[0] for detail in details]
    assert named == sorted(FIELDS)
    assert details[2] == "loan has the fields amount, purpose, duration and age"


@pytest.mark.parametrize(
    ("body", "difference"),
    [
        ({"length": 1}, "flower also needs width"),
        (record("flower") | {"color": 1}, "flower has no color"),
        ({"length": 1, "Width": 1}, "flower also needs width and has no Width"),
        ({"amount": 1, "age": 1}, "loan also needs purpose and duration"),
    ],
)
def test_the_error_begins_with_the_difference_to_the_closest_task(
    body: Any, difference: str
) -> None:
    error = refusal(body)
    assert error.status == 422
    beginning = (
        f"body: no task has exactly these fields: {difference}; the other tasks are "
    )
    assert error.message.startswith(beginning)
    closest = difference.split()[0]
    assert error.errors[0].detail.startswith(closest)
    assert len(error.errors) == len(FIELDS)


@pytest.mark.parametrize(
    ("length", "fields"), [(0, "0 fields"), (1, "1 field"), (5, "5 fields")]
)
def test_where_no_task_has_the_length_of_a_row_the_error_lists_the_lengths(
    length: int, fields: str
) -> None:
    row = [1] * length
    error = refusal({"features": [row]})
    assert error.status == 422
    assert error.message == (
        f"body.features.0: no task has {fields}: flower has 2, house has 3,"
        " loan has 4, tree has 2 and villa has 3."
    )


def test_only_one_task_is_listed_without_others() -> None:
    tasks = TasksByFields({"flower": FIELDS["flower"]})
    message = "body: no task has exactly these fields: flower also needs width."
    assert refusal({"length": 1}, tasks).message == message


def test_long_and_many_names_are_cut_short() -> None:
    body = record("flower")
    for number in range(1_000):
        name = f"{number}{'x' * 10_000}"
        body[name] = 1
    error = refusal(body)
    assert len(error.message) < MAX_NAMES * 70
    assert error.message.count("xxx")
    assert f"and {1_000 - MAX_NAMES} more" in error.message


def test_fields_of_no_task_in_service_may_be_those_of_one_that_is_not_ready() -> None:
    fields = {"flower": FIELDS["flower"]}
    tasks = TasksByFields(fields, ["tree: model.onnx cannot be read"])
    error = refusal(record("tree"), tasks)
    assert error.status == 503
    assert error.headers == {"Retry-After": "5"}
    assert "tree: model.onnx cannot be read" in error.message
    assert task_of(record("flower"), tasks) == "flower"
