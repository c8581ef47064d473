"""The container that holds the API's port: what it passes on, and how it stops."""

import http.client
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from scripts.loopback import free_port
from tests.conftest import posix
from tests.paths import ROOT

pytestmark = posix
FRONT = ROOT / "deployment" / "docker" / "front.py"
SLOW_SECONDS = 1


class Handler(BaseHTTPRequestHandler):
    """Answers with the body that it was sent, late where the path says so."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        time.sleep(SLOW_SECONDS if self.path == "/slow" else 0)
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def replica() -> Iterator[int]:
    """Serve in a thread and return the port."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


@contextmanager
def front(
    replica: int,
) -> Iterator[tuple[http.client.HTTPConnection, "subprocess.Popen[bytes]"]]:
    """Run the front before a port; yield a connection to it, and its process."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, FRONT, str(port), "127.0.0.1", str(replica)]
    )
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        for _ in range(100):
            try:
                connection.connect()
                break
            except ConnectionRefusedError:
                time.sleep(0.1)
        yield connection, process
    finally:
        connection.close()
        process.kill()
        process.wait()


def test_bodies_of_any_size_pass_on_one_connection(replica: int) -> None:
    with front(replica) as (connection, _):
        for size in (0, 1, 5_000_000, 10):
            connection.request("POST", "/", b"x" * size)
            assert connection.getresponse().read() == b"x" * size


def test_it_says_503_where_no_replica_answers() -> None:
    with front(free_port()) as (connection, _):
        connection.request("POST", "/", b"x")
        answer = connection.getresponse()
        assert (answer.status, answer.headers["Retry-After"]) == (503, "2")
        assert answer.read().startswith(b'{"detail": "No replica')


def test_it_stops_when_the_last_request_is_answered(replica: int) -> None:
    with front(replica) as (connection, process):
        connection.request("POST", "/slow", b"x")
        time.sleep(SLOW_SECONDS / 4)
        process.send_signal(signal.SIGTERM)
        assert connection.getresponse().read() == b"x"
        assert process.wait(5) == 0


def test_it_does_not_wait_for_idle_connections(replica: int) -> None:
    with front(replica) as (connection, process):
        connection.request("POST", "/", b"x")
        assert connection.getresponse().read() == b"x"
        process.send_signal(signal.SIGTERM)
        assert process.wait(5) == 0


def test_a_client_that_has_gone_is_no_fault(capfd: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as replica:
        with front(replica.getsockname()[1]) as (connection, process):
            there = replica.accept()[0]
            linger = struct.pack("ii", 1, 0)  # no goodbye: what is left is thrown away
            connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            connection.sock.close()
            time.sleep(0.3)
            there.close()
            time.sleep(0.3)
            process.send_signal(signal.SIGTERM)
            assert process.wait(5) == 0
    assert capfd.readouterr().err == ""
