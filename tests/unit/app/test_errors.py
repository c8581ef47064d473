"""Errors as problem details: their form, and the places of faults in a request."""

from typing import Any

import pytest
from httpx import Response
from starlette.testclient import TestClient

from app.errors import MAX_FAULTS, MAX_LOCATION_LENGTH, invalid, problem
from tests.support.problems import MEMBERS, problem_of
from tests.support.serving import HOUSE, golden


def pointers(answer: Response) -> list[str]:
    """Return the place of every fault that an answer lists."""
    return [fault["pointer"] for fault in problem_of(answer)["errors"]]


def fault(*location: str | int) -> dict[str, Any]:
    return {"loc": location, "msg": "Field required"}


def test_a_problem_has_the_members_of_the_rfc_and_ours() -> None:
    details = problem(404, "there is no such task.", "abc")
    assert set(details) == MEMBERS
    assert details["title"] == "Not Found"
    assert details["status"] == 404
    assert details["errors"] == []


@pytest.mark.parametrize(
    ("location", "pointer"),
    [
        ((), "#"),
        (("MedInc",), "#/MedInc"),
        ((3, "MedInc"), "#/3/MedInc"),
        (("a/b", "c~d"), "#/a~1b/c~0d"),
        (("",), "#/"),
        (("house age", 'a"b', "ä"), "#/house%20age/a%22b/%C3%A4"),
        (("\ud800",), "#/?"),
    ],
)
def test_a_fault_has_a_json_pointer_to_its_place(
    location: tuple[str | int, ...], pointer: str
) -> None:
    error = invalid([fault(*location)])
    (described,) = error.errors
    assert described.pointer == pointer
    assert described.parameter is None


def test_an_error_is_short_whatever_a_client_sends() -> None:
    error = invalid([fault("x" * 10_000)] * 50)
    assert len(error.errors) == MAX_FAULTS
    assert "(and 49 more)" in error.message
    assert len(error.message) < MAX_LOCATION_LENGTH + 50
    pointer = error.errors[0].pointer
    assert pointer is not None
    assert len(pointer) < MAX_LOCATION_LENGTH + 10


@pytest.mark.parametrize(
    ("truth", "pointer"),
    [
        ({}, "#/truth"),
        (True, "#/truth"),
        ([1.0, None], "#/truth/1"),
    ],
)
def test_a_pointer_leads_through_the_body_and_not_through_the_types_of_a_union(
    shared_client: TestClient, truth: Any, pointer: str
) -> None:
    body = {"request_id": "abc", "truth": truth}
    answer = shared_client.post("/feedback", json=body)
    assert answer.status_code == 422
    assert pointer in pointers(answer)
    assert set(pointers(answer)) <= {"#/truth", pointer}


def test_a_pointer_to_a_missing_member_names_it(shared_client: TestClient) -> None:
    answer = shared_client.post("/feedback", json={"request_id": "abc"})
    assert pointers(answer) == ["#/truth"]


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[1,"])
@pytest.mark.parametrize("path", ["/feedback", "/predict/iris"])
def test_a_body_that_is_not_json_is_a_fault_of_the_whole_body(
    shared_client: TestClient, path: str, body: bytes
) -> None:
    answer = shared_client.post(path, content=body)
    assert answer.status_code == 422
    assert pointers(answer) == ["#"]


def test_the_sentence_names_the_first_fault(shared_client: TestClient) -> None:
    records = [HOUSE, HOUSE | {"MedInc": -1, "Rooms": 2}]
    answer = shared_client.post("/predict", json=records)
    assert problem_of(answer)["detail"] == (
        "body.1.MedInc: Input should be greater than or equal to 0 (and 1 more)"
    )
    assert pointers(answer) == ["#/1/MedInc", "#/1/Rooms"]


def test_the_v2_protocol_keeps_its_own_form(shared_client: TestClient) -> None:
    answer = shared_client.post("/v2/models/iris/infer", json=golden("iris"))
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/json"
    assert list(answer.json()) == ["error"]


def test_an_error_of_fastapi_has_the_same_form(shared_client: TestClient) -> None:
    unknown = shared_client.get("/no")
    assert problem_of(unknown)["status"] == 404
    not_allowed = shared_client.delete("/models")
    assert problem_of(not_allowed)["status"] == 405
