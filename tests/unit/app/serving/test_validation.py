"""Which requests a task accepts, and how it refuses others."""

import json
from functools import cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import ApiError
from app.serving.validation import MAX_RECORDS, Record, RequestValidator
from core.manifest import Manifest
from tests.support.json_content import Json
from tests.support.service import MODELS, TASKS
from tests.support.serving import HOUSE, golden

JSON_WITHOUT_OBJECTS = st.recursive(
    st.none() | st.booleans() | st.floats(),
    st.lists,
)


@cache
def validator(task: str) -> RequestValidator:
    manifest = Manifest.read(MODELS / task / "manifest.json")
    return RequestValidator(manifest)


def parse(task: str, body: Any) -> tuple[list[Record], bool]:
    """Parse a value that is sent as JSON."""
    content = json.dumps(body).encode()
    return validator(task).parse(content)


def refusal(content: bytes, task: str = "housing") -> ApiError:
    """Return the error that the bytes of a body are refused with."""
    with pytest.raises(ApiError) as caught:
        validator(task).parse(content)
    return caught.value


def refusal_of(body: Any, task: str = "housing") -> ApiError:
    """Return the error that a value is refused with."""
    content = json.dumps(body).encode()
    return refusal(content, task)


def pointers(error: ApiError) -> list[str | None]:
    return [fault.pointer for fault in error.errors]


@pytest.mark.parametrize("task", TASKS)
def test_a_record_a_list_and_a_table_are_read_alike(task: str) -> None:
    record = golden(task)
    row = [record[name] for name in validator(task).names]
    assert parse(task, record) == ([record], True)
    assert parse(task, [record, record]) == ([record, record], False)
    records = [record, record]
    assert parse(task, {"features": [row, row]}) == (records, False)


def test_whole_numbers_are_numbers() -> None:
    records, _ = parse("housing", HOUSE | {"HouseAge": 41})
    assert records == [HOUSE]


@pytest.mark.parametrize(
    "value",
    [
        False,
        True,
        "3.9",
        None,
        [3.9],
        {},
        1e39,
        -1,
        16.1,
        10**400,
    ],
)
def test_a_value_that_is_not_a_number_or_out_of_range_is_refused(value: object) -> None:
    error = refusal_of(HOUSE | {"MedInc": value})
    assert error.status == 422
    assert pointers(error) == ["#/MedInc"]


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity", "1e999", "1e39"])
def test_a_number_that_float32_does_not_have_is_refused(value: str) -> None:
    text = json.dumps(HOUSE).replace("8.3252", value)
    assert refusal(text.encode()).status == 422


@pytest.mark.parametrize("value", [0, 16])
def test_the_bounds_belong_to_the_range(value: float) -> None:
    records, _ = parse("housing", HOUSE | {"MedInc": value})
    assert records[0]["MedInc"] == value


def test_an_unknown_key_is_named_and_a_long_one_shortened() -> None:
    error = refusal_of(HOUSE | {"Rooms": 1})
    assert pointers(error) == ["#/Rooms"]
    name = "x" * 1_000_000
    error = refusal_of(HOUSE | {name: 1})
    assert len(error.message) < 500


def test_a_missing_key_is_named() -> None:
    error = refusal_of({"MedInc": 1})
    assert error.message == "body.HouseAge: Field required (and 6 more)"


def test_a_category_that_the_task_does_not_have_is_refused() -> None:
    error = refusal_of(golden("credit") | {"purpose": "yacht"}, "credit")
    (fault,) = error.errors
    assert fault.pointer == "#/purpose"
    assert "'new_car'" in fault.detail


def test_the_place_in_a_list_is_named() -> None:
    error = refusal_of([HOUSE, HOUSE | {"MedInc": "much"}])
    assert pointers(error) == ["#/1/MedInc"]


@pytest.mark.parametrize("row", [[1.0] * 7, [1.0] * 9, [], "row"])
def test_a_row_of_the_wrong_length_is_refused(row: object) -> None:
    assert refusal_of({"features": [row]}).status == 422


@pytest.mark.parametrize(
    "content",
    [
        b"[]",
        b'{"features": []}',
        b"",
        b"{",
        b"1",
        b"null",
        b"\xff",
    ],
)
def test_a_body_without_a_record_is_refused(content: bytes) -> None:
    assert refusal(content).status == 422


def list_of(count: int) -> list[Record]:
    return [dict(HOUSE)] * count


def table_of(count: int) -> Json:
    row = list(HOUSE.values())
    return {"features": [row] * count}


@pytest.mark.parametrize("body_of", [list_of, table_of])
def test_ten_thousand_records_are_read_and_one_more_is_413(body_of: Any) -> None:
    records, _ = parse("housing", body_of(MAX_RECORDS))
    assert len(records) == MAX_RECORDS
    error = refusal_of(body_of(MAX_RECORDS + 1))
    assert error.status == 413


def test_an_error_with_many_faults_names_the_first_and_counts_the_others() -> None:
    error = refusal_of([{}] * 100)
    assert error.message.endswith("(and 799 more)")
    assert len(error.errors) == 20


@given(st.binary() | JSON_WITHOUT_OBJECTS.map(json.dumps).map(str.encode))
def test_any_body_gives_records_or_an_explained_refusal(content: bytes) -> None:
    try:
        validator("housing").parse(content)
    except ApiError as error:
        assert error.status in (413, 422)
