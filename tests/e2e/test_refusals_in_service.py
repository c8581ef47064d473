"""Requests that a real server refuses: one form of error, and where the fault is."""

import json
import socket
from collections.abc import Iterator

import pytest

from tests.support.problems import problem_of
from tests.support.serving import AUTHORIZED, HOUSE, Api

pytestmark = pytest.mark.slow
chunks = pytest.mark.parametrize("chunked", [False, True])
HOUSE_BODY = json.dumps(HOUSE).encode()
DRIFT = {
    "status": "firing",
    "labels": {"alertname": "DriftDetected", "task": "iris"},
}
# One half of a surrogate pair: JSON can write it, and UTF-8 can't.
SURROGATE = "\ud800"


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/nothing", None, 404),
        ("GET", "/models/nothing", None, 404),
        ("POST", "/predict/nothing", b"{}", 404),
        ("POST", "/predict/", b"{}", 404),
        ("POST", "/predict/iris/more", b"{}", 404),
        ("POST", "/explain/nothing", b"{}", 404),
        ("POST", "/explain/", b"{}", 404),
        ("POST", "/predict", b"{}", 422),
        ("POST", "/explain", b"{}", 422),
        ("POST", "/explain", b"{", 422),
        ("POST", "/predict", b"", 422),
        ("POST", "/predict", b"{", 422),
        ("POST", "/predict", b"\xff", 422),
        ("POST", "/predict", b"[" * 100_000, 422),
        ("POST", "/predict/iris", HOUSE_BODY, 422),
        ("POST", "/explain/iris", HOUSE_BODY, 422),
        ("GET", "/predict", None, 405),
        ("DELETE", "/models", None, 405),
        ("PATCH", "/models/iris", b"{}", 405),
        ("GET", "/predictions", None, 403),
        ("GET", "/jobs/1", None, 403),
        ("POST", "/retrain", b"\xff", 422),
    ],
)
def test_all_errors_have_one_form(
    api: Api, method: str, path: str, body: bytes | None, status: int
) -> None:
    answer = api.client.request(method, path, content=body)
    assert answer.status_code == status
    problem_of(answer)
    if status == 405:
        assert answer.headers["allow"] in ("GET, HEAD", "POST")


def test_an_error_says_what_is_wrong_and_where(api: Api) -> None:
    wrong = HOUSE | {"MedInc": -1, "Rooms": 2}
    problem = api.post("/predict", [HOUSE, wrong], 422)
    assert problem["errors"] == [
        {
            "detail": "Input should be greater than or equal to 0",
            "pointer": "#/1/MedInc",
        },
        {
            "detail": "Extra inputs are not permitted",
            "pointer": "#/1/Rooms",
        },
    ]


def pieces(body: bytes, size: int = 100_000) -> Iterator[bytes]:
    for start in range(0, len(body), size):
        yield body[start : start + size]


@pytest.mark.parametrize(
    "path",
    [
        "/predict",
        "/predict/iris",
        "/explain",
        "/explain/iris",
    ],
)
@chunks
def test_a_body_that_is_too_large_is_refused(
    api: Api, path: str, chunked: bool
) -> None:
    body = b" " * 2_000_001
    content = pieces(body) if chunked else body
    answer = api.client.post(path, content=content)
    assert answer.status_code == 413
    assert answer.json()["detail"] == "the body is larger than 2,000,000 bytes."


@chunks
@pytest.mark.parametrize(
    ("path", "member"),
    [
        ("/train", "detail"),
        ("/retrain", "detail"),
        ("/models/iris/load", "detail"),
        ("/v2/models/iris/infer", "error"),
    ],
)
def test_so_is_one_on_the_protected_paths_and_on_those_of_the_protocol(
    guarded: Api, path: str, member: str, chunked: bool
) -> None:
    body = b" " * 8_000_001
    headers = AUTHORIZED | {"Content-Type": "application/json"}
    content = iter([body]) if chunked else body
    answer = guarded.client.post(path, content=content, headers=headers)
    assert answer.status_code == 413
    message = answer.json()[member]
    assert message == "the body is larger than 8,000,000 bytes."


@pytest.mark.parametrize("host", ["[", "[::1", "a b", "x" * 1000, "\\"])
def test_an_odd_host_header_makes_no_error_of_ours(api: Api, host: str) -> None:
    address = ("127.0.0.1", api.port)
    request = f"GET /nothing HTTP/1.1\r\nHost: {host}\r\n\r\n"
    with socket.create_connection(address, timeout=10) as connection:
        connection.sendall(request.encode())
        answer = connection.recv(1000)
    assert answer.startswith((b"HTTP/1.1 404", b"HTTP/1.1 400"))


FOREST = {"algorithm": "random_forest"}


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/models/nothing/load", {"version": 1}, 404),
        ("/models/iris/load", {}, 422),
        ("/models/iris/load", {"version": 1, "run_id": "0" * 32}, 422),
        ("/models/iris/load", {"version": True}, 422),
        ("/models/iris/load", {"run_id": "../../etc"}, 422),
        ("/train", {"algorithm": "magic"}, 422),
        ("/train", FOREST | {"task": "nothing"}, 404),
        ("/train", FOREST | {"data": []}, 422),
        ("/train", FOREST | {SURROGATE: 1}, 422),
        ("/train", FOREST | {"parameters": {SURROGATE: SURROGATE}}, 422),
        ("/train", FOREST | {"data": [{"x": SURROGATE}]}, 422),
        ("/retrain", {"tasks": ["nothing"]}, 404),
        ("/retrain", {"reason": SURROGATE}, 422),
        ("/retrain", {"unknown": 1}, 422),
        ("/alerts", {"alerts": DRIFT}, 422),
        ("/alerts", {"alerts": [DRIFT] * 1001}, 422),
        (
            "/alerts",
            {"alerts": [DRIFT | {"annotations": {"features": SURROGATE}}]},
            422,
        ),
    ],
)
def test_what_makes_no_sense_is_refused_before_the_worker_is_called(
    guarded: Api, path: str, body: object, status: int
) -> None:
    headers = AUTHORIZED | {"Content-Type": "application/json"}
    content = json.dumps(body)
    answer = guarded.client.post(path, content=content, headers=headers)
    assert answer.status_code == status
    problem_of(answer)
