"""What a task's requests may look like."""

import json
from functools import cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import ApiError
from app.serving.validation import MAX_RECORDS, RequestValidator
from core.manifest import Manifest
from tests.support.service import MODELS, TASKS
from tests.support.serving import HOUSE, golden


@cache
def records_of(task: str) -> RequestValidator:
    return RequestValidator(
        Manifest.model_validate_json((MODELS / task / "manifest.json").read_bytes())
    )


def refusal(records: RequestValidator, body: bytes) -> ApiError:
    with pytest.raises(ApiError) as caught:
        records.parse(body)
    return caught.value


def refused(**changes: Any) -> ApiError:
    """Return how the issue's house is refused with some values changed."""
    return refusal(records_of("housing"), json.dumps(HOUSE | changes).encode())


@pytest.mark.parametrize("task", TASKS)
def test_a_record_a_list_and_a_table_say_the_same(task: str) -> None:
    records = records_of(task)
    record = golden(task)
    table = {"features": [[record[name] for name in records.names]] * 2}
    assert records.parse(json.dumps(record).encode()) == ([record], True)
    assert records.parse(json.dumps([record, record]).encode()) == ([record] * 2, False)
    assert records.parse(json.dumps(table).encode()) == ([record] * 2, False)


def test_whole_numbers_are_numbers() -> None:
    assert records_of("housing").parse(json.dumps(HOUSE | {"HouseAge": 41}).encode())[
        0
    ] == [HOUSE]


@pytest.mark.parametrize(
    "value", [False, True, "3.9", None, [3.9], {}, 1e39, -1, 16.1, 10**400]
)
def test_what_is_no_number_or_out_of_range_is_refused(value: object) -> None:
    error = refused(MedInc=value)
    assert error.status == 422
    assert [fault.pointer for fault in error.errors] == ["#/MedInc"]


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity", "1e999", "1e39"])
def test_what_float32_does_not_know_is_refused(value: str) -> None:
    body = json.dumps(HOUSE).replace("8.3252", value).encode()
    assert refusal(records_of("housing"), body).status == 422


@pytest.mark.parametrize("value", [0, 16])
def test_the_bounds_belong_to_the_range(value: float) -> None:
    assert (
        records_of("housing").parse(json.dumps(HOUSE | {"MedInc": value}).encode())[0][
            0
        ]["MedInc"]
        == value
    )


def test_an_unknown_key_is_named_and_a_long_one_shortened() -> None:
    assert refused(Rooms=1).errors[0].pointer == "#/Rooms"
    assert len(refused(**{"x" * 1_000_000: 1}).message) < 500


def test_a_missing_key_is_named() -> None:
    error = refusal(records_of("housing"), b'{"MedInc": 1}')
    assert error.message == "body.HouseAge: Field required (and 6 more)"


def test_a_category_that_the_task_does_not_know_is_refused() -> None:
    error = refusal(
        records_of("credit"),
        json.dumps(golden("credit") | {"purpose": "yacht"}).encode(),
    )
    assert error.errors[0].pointer == "#/purpose"
    assert "'new_car'" in error.errors[0].detail


def test_the_place_in_a_list_is_named() -> None:
    error = refusal(
        records_of("housing"), json.dumps([HOUSE, HOUSE | {"MedInc": "much"}]).encode()
    )
    assert error.errors[0].pointer == "#/1/MedInc"


@pytest.mark.parametrize("row", [[1.0] * 7, [1.0] * 9, [], "row"])
def test_a_row_of_the_wrong_length_is_refused(row: object) -> None:
    assert (
        refusal(records_of("housing"), json.dumps({"features": [row]}).encode()).status
        == 422
    )


@pytest.mark.parametrize(
    "body", [b"[]", b'{"features": []}', b"", b"{", b"1", b"null", b"\xff"]
)
def test_what_holds_no_record_is_refused(body: bytes) -> None:
    assert refusal(records_of("housing"), body).status == 422


@pytest.mark.parametrize("as_table", [False, True])
def test_ten_thousand_records_are_read_and_one_more_is_413(as_table: bool) -> None:
    def body(count: int) -> bytes:
        if as_table:
            return json.dumps({"features": [list(HOUSE.values())] * count}).encode()
        return json.dumps([HOUSE] * count).encode()

    assert len(records_of("housing").parse(body(MAX_RECORDS))[0]) == MAX_RECORDS
    assert refusal(records_of("housing"), body(MAX_RECORDS + 1)).status == 413


def test_many_faults_are_told_by_the_first_of_them() -> None:
    error = refusal(records_of("housing"), json.dumps([{}] * 100).encode())
    assert error.message.endswith("(and 799 more)")
    assert len(error.errors) == 20


@given(
    st.binary()
    | st.recursive(st.none() | st.booleans() | st.floats(), st.lists).map(json.dumps)
)
def test_no_body_brings_anything_but_records_or_an_explained_refusal(
    body: bytes | str,
) -> None:
    try:
        records_of("housing").parse(body if isinstance(body, bytes) else body.encode())
    except ApiError as error:
        assert error.status in (413, 422)
