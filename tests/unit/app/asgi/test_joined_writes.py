"""What is written in one turn of the event loop arrives as one, over real sockets."""

import asyncio
import socket
import threading
import time
from collections.abc import Iterator

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send

from app.asgi.http_protocol import Http1Protocol
from tests.support.waiting import PATIENCE_SECONDS, wait_until

BODY = b"the body"
LARGE = b"x" * 3_000_000
PAUSE_SECONDS = 0.3
go_on = threading.Event()


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """Send the headers, then the body in the way that the path names."""
    path = scope["path"]
    body = LARGE if path == "/large" else BODY
    length = b"%d" % len(body)
    headers = [(b"content-length", length)]
    start = {
        "type": "http.response.start",
        "status": 200,
        "headers": headers,
    }
    await send(start)
    if path == "/late":
        time.sleep(PAUSE_SECONDS)  # as a busy machine takes it
    if path == "/parts":
        part = {
            "type": "http.response.body",
            "body": body[:3],
            "more_body": True,
        }
        await send(part)
        body = body[3:]
        while not go_on.is_set():
            await asyncio.sleep(0.01)
    await send({"type": "http.response.body", "body": body})


@pytest.fixture(scope="module", params=["asyncio", "auto"])
def port(request: pytest.FixtureRequest) -> Iterator[int]:
    """The port of a server, with Python's own event loop and with the fastest."""
    config = uvicorn.Config(
        application,
        http=Http1Protocol,
        loop=request.param,
        ws="none",
        lifespan="off",
        log_level="critical",
    )
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=server.run, args=[[listening]])
        thread.start()
        wait_until(lambda: server.started)
        yield listening.getsockname()[1]
        server.should_exit = True
        thread.join()


def connect(port: int, path: bytes, more: bytes = b"") -> socket.socket:
    """Send a request and return the connection."""
    address = ("127.0.0.1", port)
    connection = socket.create_connection(address, timeout=PATIENCE_SECONDS)
    connection.sendall(b"GET %s HTTP/1.1\r\nHost: x\r\n%s\r\n" % (path, more))
    return connection


def read_until(connection: socket.socket, end: bytes) -> bytes:
    """Read until something arrives, or the server closes the connection."""
    content = b""
    while not content.endswith(end) and (part := connection.recv(65_536)):
        content += part
    return content


def test_headers_and_body_arrive_together(port: int) -> None:
    with connect(port, b"/late") as connection:
        first = connection.recv(65_536)
    assert first.startswith(b"HTTP/1.1 200")
    assert first.endswith(BODY)


def test_a_part_does_not_wait_for_the_next_one(port: int) -> None:
    go_on.clear()
    with connect(port, b"/parts") as connection:
        assert read_until(connection, BODY[:3]).endswith(b"\r\n\r\n" + BODY[:3])
        go_on.set()
        assert read_until(connection, BODY[3:]) == BODY[3:]


def test_a_large_body_arrives_whole_and_the_connection_is_closed(port: int) -> None:
    with connect(port, b"/large", b"Connection: close\r\n") as connection:
        content = read_until(connection, b"\0")
    assert content.partition(b"\r\n\r\n")[2] == LARGE
