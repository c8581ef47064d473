"""The reverse proxy: what it passes on, and what it does when a replica goes."""

import http.client
import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import httpx
import pytest

from tests.stack.engine import ADMIN_KEY, Stack, docker, eventually

CLIENTS = 8
CONFIGURATION = "/usr/local/etc/haproxy/haproxy.cfg"
HEADERS = {"Content-Type": "application/json", "X-API-Key": ADMIN_KEY}
STOP_SECONDS = 15  # less than Compose's and the proxy's own limits


@pytest.fixture(scope="module")
def record(stack: Stack) -> bytes:
    """Return the JSON of a record of iris."""
    path = stack.checkout / "deployment" / "models" / "iris" / "manifest.json"
    manifest = json.loads(path.read_bytes())
    return json.dumps(manifest["golden"]["request"]).encode()


@contextmanager
def connected(stack: Stack) -> Iterator[http.client.HTTPConnection]:
    """Yield a connection to the API's port that is kept alive."""
    port = stack.ports["API"]
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        yield connection
    finally:
        connection.close()


class Load:
    """Clients that send one prediction after the other until they are stopped."""

    def __init__(self, stack: Stack, record: bytes) -> None:
        self.answered = 0
        self.failures: list[str] = []
        self._stack = stack
        self._record = record
        self._stopped = threading.Event()
        self._lock = threading.Lock()

    def __enter__(self) -> "Load":
        self._pool = ThreadPoolExecutor(CLIENTS)
        self._clients = [self._pool.submit(self._send) for _ in range(CLIENTS)]
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._pool.shutdown()
        for client in self._clients:
            client.result()

    def await_more(self, count: int) -> None:
        """Wait until so many more predictions are answered."""
        target = self.answered + count
        eventually(lambda: self.answered >= target, 60, "the load goes on")

    def _send(self) -> None:
        address = self._stack.url("API", "/predict/iris")
        with httpx.Client(trust_env=False, timeout=30) as client:
            while not self._stopped.is_set():
                failure = self._ask(client, address)
                with self._lock:
                    self.answered += 1
                    if failure:
                        self.failures.append(failure)

    def _ask(self, client: httpx.Client, address: str) -> str:
        """Return what is wrong with an answer, nothing if it is a prediction."""
        try:
            answer = client.post(address, content=self._record, headers=HEADERS)
        except httpx.HTTPError as error:
            return repr(error)
        if answer.status_code != 200:
            return f"{answer.status_code} {answer.text}"
        return ""


def replicas(stack: Stack) -> list[str]:
    """Return the ids of the API's containers."""
    return [container["Id"] for container in stack.containers("mlops-api")]


def test_haproxy_accepts_its_configuration(stack: Stack) -> None:
    command = ("haproxy", "-c", "-f", CONFIGURATION)
    stack.compose("run", "--rm", "--no-deps", "-T", "proxy", *command)


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


def test_what_is_not_http_is_refused(stack: Stack) -> None:
    with connected(stack) as connection:
        connection.connect()
        connection.sock.sendall(b"this is not HTTP\r\n\r\n")
        answer = http.client.HTTPResponse(connection.sock)
        answer.begin()
        assert answer.status == 400


def test_no_request_is_lost_when_a_replica_stops(stack: Stack, record: bytes) -> None:
    stack.up("--scale", "mlops-api=2")
    with Load(stack, record) as load:
        load.await_more(200)
        stack.up()
        load.await_more(200)
    print(f"\n{load.answered} requests, {len(load.failures)} failed")
    assert len(replicas(stack)) == 1
    assert load.failures == []


def test_only_requests_in_its_hands_are_lost_when_a_replica_is_killed(
    stack: Stack, record: bytes
) -> None:
    stack.up("--scale", "mlops-api=2")
    with Load(stack, record) as load:
        load.await_more(200)
        docker("kill", replicas(stack)[-1])
        load.await_more(2000)
    print(f"\n{load.answered} requests, {len(load.failures)} failed")
    stack.up()
    assert len(load.failures) <= CLIENTS, load.failures


def test_a_new_replica_gets_its_share_of_open_connections(
    stack: Stack, record: bytes
) -> None:
    with Load(stack, record) as load:
        load.await_more(100)
        stack.up("--scale", "mlops-api=2")
        added = replicas(stack)[-1]
        load.await_more(500)
    assert docker("logs", added).count('"/predict/iris"') > 100
    stack.up()


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
            assert answer.headers["Content-Type"] == "application/problem+json"
            problem = json.load(answer)
        assert problem["title"] == "Service Unavailable"
        assert problem["detail"].startswith("No replica of the API is available")
    finally:
        stack.up()


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
        # The API asks for the body: by now the request is in its hands.
        assert busy.sock.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        docker("kill", "--signal", proxy["Config"]["StopSignal"], proxy["Id"])
        busy.send(record)
        assert busy.getresponse().status == 200
        status = docker("wait", proxy["Id"], timeout=STOP_SECONDS)
    assert status.strip() == "0"
    stack.up()
