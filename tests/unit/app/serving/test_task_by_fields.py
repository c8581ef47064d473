"""Which task a request without one in its path is for."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.serving.task_by_fields import HEAD_BYTES, TasksByFields
from tests.support.tasks_by_fields import FIELDS, TASKS, record, task_of


@pytest.mark.parametrize("task", ["flower", "tree", "loan"])
def test_the_names_of_a_records_fields_decide(task: str) -> None:
    body = record(task)
    backwards = dict(reversed(body.items()))
    assert task_of(body) == task
    assert task_of(backwards) == task
    assert task_of([body]) == task
    assert task_of([body] * 3) == task


def test_of_several_records_the_first_decides() -> None:
    assert task_of([record("tree"), record("flower"), 1]) == "tree"


def test_the_length_of_rows_without_names_decides_if_one_task_alone_has_it() -> None:
    assert task_of({"features": [[1, 2, 3, 4]]}) == "loan"
    assert task_of({"features": [[1, 2, 3, 4], [1, 2]]}) == "loan"


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


def test_without_a_task_in_service_no_task_has_the_fields() -> None:
    tasks = TasksByFields({})
    assert task_of(record("flower"), tasks) is None


@pytest.mark.parametrize(
    "value",
    [
        float("nan"),
        float("inf"),
        True,
        "word",
        None,
        [1],
        {},
    ],
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
    text = character * length
    if as_table:
        task = "loan"
        row = [text] * len(FIELDS[task])
        body: Any = {"features": [row] * count}
    else:
        body = [record(task, text)] * count
    content = json.dumps(body, ensure_ascii=ascii_only).encode()
    assert TASKS.task_of(content) == task


def test_a_record_that_is_longer_than_the_beginning_is_read_whole() -> None:
    names = [f"field_{number}" for number in range(1_000)]
    fields = {"all": names, "some": names[:500]}
    tasks = TasksByFields(fields)
    for task, own_names in fields.items():
        wide = dict.fromkeys(own_names, 1)
        assert len(json.dumps(wide)) > HEAD_BYTES
        assert task_of(wide, tasks) == task
        assert task_of([wide, wide], tasks) == task
        row = [1] * len(own_names)
        assert task_of({"features": [row, row]}, tasks) == task


def test_the_document_can_list_the_tasks_that_need_no_path() -> None:
    assert TASKS.known_by_names == {"flower", "tree", "loan"}
    assert TASKS.known_by_length == {"loan"}


@pytest.mark.parametrize(
    ("body", "task"),
    [
        ([record("flower")], "flower"),
        (record("loan"), "loan"),
        (record("house"), None),
        # A text is taken for a name, which reading the whole body would correct.
        ({"width": "length"}, "flower"),
        ({"features": [["length"]]}, None),
        ({}, None),
    ],
)
def test_a_name_that_no_other_task_has_makes_a_task_likely(
    body: Any, task: str | None
) -> None:
    content = json.dumps(body).encode()
    assert TASKS.likely(content) == task
