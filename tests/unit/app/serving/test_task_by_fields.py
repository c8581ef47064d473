"""Which task a request without one in its path is for."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import ApiError
from app.serving.field_errors import MAX_NAMES
from app.serving.task_by_fields import HEAD_BYTES, TasksByFields

FIELDS = {
    "house": ["rooms", "age", "income"],
    "flower": ["length", "width"],
    "tree": ["height", "width"],
    "villa": ["income", "rooms", "age"],
    "loan": ["amount", "purpose", "duration", "age"],
}
TASKS = TasksByFields(FIELDS)


def task_of(body: Any, tasks: TasksByFields = TASKS) -> str | None:
    return tasks.task_of(json.dumps(body).encode())


def refusal(body: Any, tasks: TasksByFields = TASKS) -> ApiError:
    with pytest.raises(ApiError) as caught:
        task_of(body, tasks)
    return caught.value


def record(task: str, value: object = 1) -> dict[str, object]:
    return dict.fromkeys(FIELDS[task], value)


@pytest.mark.parametrize("task", ["flower", "tree", "loan"])
def test_the_names_of_a_records_fields_decide(task: str) -> None:
    backwards = dict(reversed(record(task).items()))
    assert task_of(record(task)) == task_of(backwards) == task
    assert task_of([record(task)]) == task_of([record(task)] * 3) == task


def test_of_several_records_the_first_decides() -> None:
    assert task_of([record("tree"), record("flower"), 1]) == "tree"


def test_the_length_of_rows_without_names_decides_if_one_task_alone_has_it() -> None:
    assert task_of({"features": [[1, 2, 3, 4]]}) == "loan"
    assert task_of({"features": [[1, 2, 3, 4], [1, 2]]}) == "loan"


@pytest.mark.parametrize("body", [record("house"), [record("villa")]])
def test_two_tasks_with_the_same_fields_are_both_named(body: Any) -> None:
    error = refusal(body)
    place = "body.0" if isinstance(body, list) else "body"
    assert error.status == 422
    assert (
        error.message
        == f"{place}: the tasks house and villa have the same fields: name one in the"
        " path."
    )
    pointer = "#/0" if isinstance(body, list) else "#"
    assert [(fault.pointer, fault.detail) for fault in error.errors] == [
        (pointer, "house has the fields rooms, age and income"),
        (pointer, "villa has the fields income, rooms and age"),
    ]


def test_two_tasks_with_as_many_fields_are_both_named() -> None:
    error = refusal({"features": [[1, 2]]})
    assert error.status == 422
    assert (
        error.message
        == "body.features.0: the tasks flower and tree have 2 fields each: name one in"
        " the path, or send records with the names of their fields."
    )


def test_three_tasks_are_named_as_well() -> None:
    tasks = TasksByFields(dict.fromkeys("cab", ["x"]))
    assert (
        "the tasks a, b and c have the same fields" in refusal({"x": 1}, tasks).message
    )


@pytest.mark.parametrize("body", [{}, {"color": 1}, {"Rooms": 1, "AGE": 2}])
def test_where_no_task_fits_all_are_listed_with_their_fields(body: Any) -> None:
    error = refusal(body)
    assert error.status == 422
    assert (
        error.message
        == "body: no task has these fields: the tasks are flower, house, loan, tree and"
        " villa."
    )
    assert [fault.detail.split()[0] for fault in error.errors] == sorted(FIELDS)
    assert (
        error.errors[2].detail
        == "loan has the fields amount, purpose, duration and age"
    )


@pytest.mark.parametrize(
    ("body", "difference"),
    [
        ({"length": 1}, "flower also needs width"),
        (record("flower") | {"color": 1}, "flower has no color"),
        ({"length": 1, "Width": 1}, "flower also needs width and has no Width"),
        ({"amount": 1, "age": 1}, "loan also needs purpose and duration"),
    ],
)
def test_what_the_closest_task_misses_is_said_first(body: Any, difference: str) -> None:
    error = refusal(body)
    assert error.status == 422
    beginning = (
        f"body: no task has exactly these fields: {difference}; the other tasks are "
    )
    assert error.message.startswith(beginning)
    assert error.errors[0].detail.startswith(difference.split()[0])
    assert len(error.errors) == len(FIELDS)


@pytest.mark.parametrize("length", [0, 1, 5])
def test_a_row_that_is_too_long_or_too_short_for_all_is_told_the_lengths(
    length: int,
) -> None:
    error = refusal({"features": [[1] * length]})
    assert error.status == 422
    assert (
        error.message
        == f"body.features.0: no task has {length} fields: flower has 2, house has 3,"
        " loan has 4, tree has 2 and villa has 3."
    )


def test_only_one_task_is_listed_without_others() -> None:
    tasks = TasksByFields({"flower": FIELDS["flower"]})
    message = "body: no task has exactly these fields: flower also needs width."
    assert refusal({"length": 1}, tasks).message == message


def test_names_that_a_client_thinks_up_are_cut_short() -> None:
    many = {f"{number}{'x' * 10_000}": 1 for number in range(1_000)}
    error = refusal(record("flower") | many)
    assert len(error.message) < MAX_NAMES * 70
    assert error.message.count("xxx")
    assert f"and {1_000 - MAX_NAMES} more" in error.message


def test_as_long_as_a_task_is_not_ready_it_may_be_the_one() -> None:
    tasks = TasksByFields(
        {"flower": FIELDS["flower"]}, ["tree: model.onnx cannot be read"]
    )
    error = refusal(record("tree"), tasks)
    assert (error.status, error.headers) == (503, {"Retry-After": "5"})
    assert "tree: model.onnx cannot be read" in error.message
    assert task_of(record("flower"), tasks) == "flower"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff",
        b"[" * 100_000,
        b"{} {}",
        b"null",
        b"1",
        b'"width"',
        b"[]",
        b"[1]",
        b"[[1, 2]]",
        b"[null]",
        b'{"features": []}',
        b'{"features": [1, 2]}',
        b'{"features": null}',
        b'{"features": [{"length": 1, "width": 1}]}',
    ],
)
def test_a_body_without_a_record_is_of_no_task(body: bytes) -> None:
    assert TASKS.task_of(body) is None


def test_without_a_task_in_service_there_is_none_to_find() -> None:
    assert task_of(record("flower"), TasksByFields({})) is None


@pytest.mark.parametrize(
    "value", [float("nan"), float("inf"), True, "word", None, [1], {}]
)
def test_the_values_do_not_matter(value: object) -> None:
    assert task_of(record("tree", value)) == "tree"


@given(
    st.sampled_from(["flower", "tree", "loan"]),
    st.booleans(),
    st.sampled_from(["x", "ä", "😀", "\\", '"', "]}", "\n"]),
    st.integers(HEAD_BYTES // 12, HEAD_BYTES // 2),
    st.integers(1, 4),
    st.booleans(),
)
def test_where_a_long_body_is_cut_makes_no_difference(
    task: str, as_table: bool, character: str, length: int, count: int, ascii_only: bool
) -> None:
    body: Any = [record(task, character * length)] * count
    if as_table:
        task = "loan"
        body = {"features": [[character * length] * 4] * count}
    assert TASKS.task_of(json.dumps(body, ensure_ascii=ascii_only).encode()) == task


def test_a_record_that_is_longer_than_the_beginning_is_read_whole() -> None:
    names = [f"field_{number}" for number in range(1_000)]
    wide = {"all": names, "some": names[:100]}
    tasks = TasksByFields(wide)
    for task, own in wide.items():
        whole = dict.fromkeys(own, 1)
        assert len(json.dumps(dict.fromkeys(names, 1))) > HEAD_BYTES
        assert task_of(whole, tasks) == task_of([whole, whole], tasks) == task
        assert task_of({"features": [[1] * len(own)] * 2}, tasks) == task


def test_the_tasks_that_can_be_found_are_told() -> None:
    assert TASKS.known_by_names == {"flower", "tree", "loan"}
    assert TASKS.known_by_length == {"loan"}


@pytest.mark.parametrize(
    ("body", "task"),
    [
        ([record("flower")], "flower"),
        (record("loan"), "loan"),
        (record("house"), None),
        (
            {"width": "length"},
            "flower",
        ),  # a text with that name: reading it shows that it is not
        ({"features": [["length"]]}, None),
        ({}, None),
    ],
)
def test_a_name_that_no_other_task_has_makes_a_task_likely(
    body: Any, task: str | None
) -> None:
    assert TASKS.likely(json.dumps(body).encode()) == task
