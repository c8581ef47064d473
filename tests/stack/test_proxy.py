"""The reverse proxy: what it passes on, and what it answers itself."""

import http.client
import json
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from tests.stack.engine import ADMIN_KEY, Stack, docker
from tests.support.json_content import Json

CONFIGURATION = "/usr/local/etc/haproxy/haproxy.cfg"
HEADERS = {"Content-Type": "application/json", "X-API-Key": ADMIN_KEY}
STOP_SECONDS = 15  # less than Compose's and the proxy's own limits
PAUSE_SECONDS = 0.5
PROBLEM = "application/problem+json"
NOT_HTTP = b"this is not HTTP\r\n\r\n"
CHUNKED = (
    b"POST /predict/iris HTTP/1.1\r\n"
    b"Host: localhost\r\n"
    b"Transfer-Encoding: chunked\r\n"
    b"\r\n"
    b"1\r\n{\r\n"
)
# Older versions answer a request whose headers cannot be parsed with a page of their own.
USES_FILES = (3, 2, 4)
LONG = b"a" * 20_000  # more than a buffer holds
LINE_TOO_LONG = b"GET /" + LONG + b" HTTP/1.1\r\nHost: localhost\r\n\r\n"
HEADER_TOO_LONG = b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Long: " + LONG + b"\r\n\r\n"
# Older versions answer both with 400.
TELLS_LENGTHS = (3, 2, 8)


@contextmanager
def connected(stack: Stack) -> Iterator[http.client.HTTPConnection]:
    """Yield a connection to the API's port that is kept alive."""
    port = stack.ports["API"]
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        yield connection
    finally:
        connection.close()


def raw_answer(
    connection: http.client.HTTPConnection, *parts: bytes
) -> http.client.HTTPResponse:
    """Send bytes as they are, with a pause after each part, and return the answer."""
    connection.connect()
    for part in parts:
        connection.sock.sendall(part)
        time.sleep(PAUSE_SECONDS)
    answer = http.client.HTTPResponse(connection.sock)
    answer.begin()
    return answer


def read_problem(answer: http.client.HTTPResponse) -> Json:
    """Return the problem details of an answer."""
    assert answer.headers["Content-Type"] == PROBLEM
    problem = json.load(answer)
    assert problem["status"] == answer.status
    return problem


def version(stack: Stack) -> tuple[int, ...]:
    """Return the version of HAProxy."""
    output = stack.compose("exec", "-T", "proxy", "haproxy", "-v")
    match = re.search(r"version (\d+)\.(\d+)\.(\d+)", output)
    assert match, output
    return tuple(int(number) for number in match.groups())


def test_haproxy_accepts_its_configuration(stack: Stack) -> None:
    check = ("haproxy", "-c", "-f", CONFIGURATION)
    stack.compose("exec", "-T", "proxy", *check)


def test_bodies_of_any_size_pass_on_one_connection(stack: Stack, record: bytes) -> None:
    with connected(stack) as connection:
        for padding in (0, 1, 5_000_000, 10):
            body = record + b" " * padding
            connection.request("POST", "/predict/iris", body, HEADERS)
            answer = connection.getresponse()
            assert answer.status == 200
            assert json.load(answer)["task"] == "iris"


def test_the_api_sees_the_host_that_the_client_asked_for(
    stack: Stack, record: bytes
) -> None:
    """Admin endpoints are refused for a host name that is not the API's own."""
    body = b'{"version": 1}'
    with connected(stack) as connection:
        for host in ("evil.example", f"evil.example:{stack.ports['API']}"):
            headers = HEADERS | {"Host": host}
            connection.request("POST", "/models/iris/load", body, headers)
            answer = connection.getresponse()
            assert answer.status == 403
            assert b"Host" in answer.read()


def test_an_offer_of_http_2_reaches_the_api_with_its_body(
    stack: Stack, record: bytes
) -> None:
    """Java's HttpClient sends such an offer with its first request."""
    offer = {
        "Connection": "Upgrade, HTTP2-Settings",
        "Upgrade": "h2c",
        "HTTP2-Settings": "AAMA",
    }
    address = stack.url("API", "/predict/iris")
    with httpx.Client(trust_env=False) as client:
        for _ in range(3):
            answer = client.post(address, content=record, headers=HEADERS | offer)
            assert answer.status_code == 200, answer.text
        health = client.head(stack.url("API", "/health"))
        assert health.status_code == 200


def test_what_is_not_http_is_refused(stack: Stack) -> None:
    with connected(stack) as connection:
        answer = raw_answer(connection, NOT_HTTP)
        assert answer.status == 400
        if version(stack) >= USES_FILES:
            assert read_problem(answer)["title"] == "Bad Request"


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (LINE_TOO_LONG, 414),
        (HEADER_TOO_LONG, 431),
    ],
)
def test_what_is_too_long_is_refused_with_problem_details(
    stack: Stack, request_bytes: bytes, status: int
) -> None:
    running = version(stack)
    with connected(stack) as connection:
        answer = raw_answer(connection, request_bytes)
        if running < TELLS_LENGTHS:
            assert answer.status == 400
        else:
            assert read_problem(answer)["status"] == status


def test_a_malformed_body_is_refused_with_problem_details(stack: Stack) -> None:
    with connected(stack) as connection:
        answer = raw_answer(connection, CHUNKED, b"not a length\r\n")
        assert answer.status == 400
        problem = read_problem(answer)
    assert problem["title"] == "Bad Request"
    assert problem["detail"] == "The proxy cannot read this as an HTTP request."


def test_without_a_replica_the_answer_is_503_with_problem_details(
    stack: Stack, record: bytes
) -> None:
    stack.compose("stop", "mlops-api")
    try:
        with connected(stack) as connection:
            connection.request("POST", "/predict/iris", record, HEADERS)
            answer = connection.getresponse()
            assert answer.status == 503
            assert answer.headers["Retry-After"] == "2"
            problem = read_problem(answer)
    finally:
        stack.scale(1)
    assert problem["title"] == "Service Unavailable"
    assert problem["detail"].startswith("No replica of the API is available")


def test_it_stops_when_the_last_request_is_answered(
    stack: Stack, record: bytes
) -> None:
    """An idle connection does not hold it up."""
    (proxy,) = stack.containers("proxy")
    with connected(stack) as idle, connected(stack) as busy:
        idle.request("POST", "/predict/iris", record, HEADERS)
        assert idle.getresponse().read()
        busy.putrequest("POST", "/predict/iris")
        for name, value in HEADERS.items():
            busy.putheader(name, value)
        busy.putheader("Content-Length", str(len(record)))
        busy.putheader("Expect", "100-continue")
        busy.endheaders()
        # The proxy asks for the body: by now the request is in its hands.
        assert busy.sock.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        docker("kill", "--signal", proxy["Config"]["StopSignal"], proxy["Id"])
        busy.send(record)
        assert busy.getresponse().status == 200
        status = docker("wait", proxy["Id"], timeout=STOP_SECONDS)
    assert status.strip() == "0"
    stack.up()
