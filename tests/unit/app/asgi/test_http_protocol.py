"""HTTP as clients really speak it, over real sockets: offers of HTTP/2 and WebSockets."""

import asyncio
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send

from app.asgi.http_protocol import Http1Protocol
from app.errors import Problem
from tests.support.waiting import wait_until

OFFER = (
    b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
    b"HTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA\r\n"
)


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with the method, the path and the body that arrived."""
    body = b""
    more = True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    assert b"upgrade" not in dict(scope["headers"])
    text = b"%s %s %s" % (scope["method"].encode(), scope["path"].encode(), body)
    length = [(b"content-length", b"%d" % len(text))]
    await send({"type": "http.response.start", "status": 200, "headers": length})
    await send({"type": "http.response.body", "body": text})


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        config = uvicorn.Config(
            echo, http=Http1Protocol, ws="none", lifespan="off", log_level="critical"
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=asyncio.run, args=[server.serve([listening])])
        thread.start()
        wait_until(lambda: server.started)
        yield listening.getsockname()[1]
        server.should_exit = True
        thread.join()


def talk(port: int, *parts: bytes) -> bytes:
    """Send parts one after the other; return all that comes until the server closes."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for part in parts:
            connection.sendall(part)
        answer = b""
        while more := connection.recv(65_536):
            answer += more
        return answer


def last(path: bytes) -> bytes:
    """Return a request after which the server closes the connection."""
    return b"GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n" % path


def post(path: bytes, body: bytes, headers: bytes = OFFER) -> bytes:
    head = b"POST %s HTTP/1.1\r\nHost: x\r\n%sContent-Length: %d\r\n\r\n"
    return head % (path, headers, len(body)) + body


def test_a_body_after_an_offer_of_http_2_arrives(port: int) -> None:
    answer = talk(port, post(b"/a", b"hello"), last(b"/end"))
    assert b"POST /a hello" in answer
    assert answer.endswith(b"GET /end ")
    assert b"101" not in answer


def test_a_body_that_comes_in_small_pieces_arrives(port: int) -> None:
    content = post(b"/a", b"hello")
    pieces = [content[index : index + 1] for index in range(len(content))]
    assert b"POST /a hello" in talk(port, *pieces, last(b"/end"))


def test_a_large_body_arrives_whole(port: int) -> None:
    body = b"x" * 1_000_000
    assert talk(port, post(b"/a", body), last(b"/end")).count(b"x") == len(body)


def test_a_chunked_body_arrives(port: int) -> None:
    head = (
        b"POST /a HTTP/1.1\r\nHost: x\r\n"
        + OFFER
        + b"Transfer-Encoding: chunked\r\n\r\n"
    )
    answer = talk(port, head + b"3\r\nabc\r\n", b"2\r\nde\r\n0\r\n\r\n", last(b"/end"))
    assert b"POST /a abcde" in answer
    assert answer.endswith(b"GET /end ")


def test_requests_that_are_sent_ahead_are_answered_in_order(port: int) -> None:
    sent = [
        post(b"/%d" % turn, b"body%d" % turn, OFFER * (turn % 2)) for turn in range(6)
    ]
    answer = talk(port, b"".join(sent) + last(b"/end"))
    places = [answer.index(b"POST /%d body%d" % (turn, turn)) for turn in range(6)]
    assert places == sorted(places)
    assert answer.endswith(b"GET /end ")


def test_the_connection_is_closed_where_the_client_asks_for_it(port: int) -> None:
    closing = OFFER.replace(b"Upgrade, H", b"close, Upgrade, H", 1)
    assert talk(port, post(b"/a", b"hello", closing)).endswith(b"POST /a hello")
    old = (
        b"POST /a HTTP/1.0\r\nConnection: Upgrade\r\nUpgrade: h2c\r\nContent-Length:"
        b" 2\r\n\r\nhi"
    )
    assert talk(port, old).endswith(b"POST /a hi")


@pytest.mark.parametrize("token", [b"websocket", b"TLS/1.0", b"foo/2, h2c", b"h2"])
def test_any_other_offer_is_passed_over(port: int, token: bytes) -> None:
    offer = b"Connection: keep-alive, upgrade\r\nUPGRADE: %s\r\n" % token
    answer = talk(port, post(b"/a", b"hello", offer), last(b"/end"))
    assert answer.startswith(b"HTTP/1.1 200")
    assert b"POST /a hello" in answer


def test_a_websocket_handshake_is_answered_as_a_plain_request(port: int) -> None:
    handshake = (
        b"GET /chat HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade:"
        b" websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key:"
        b" dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    answer = talk(port, handshake, last(b"/end"))
    assert answer.startswith(b"HTTP/1.1 200")
    assert b"GET /chat" in answer


@pytest.mark.parametrize(
    "request_",
    [
        b"CONNECT example.org:443 HTTP/1.1\r\nHost: example.org\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        post(b"/a", b"", OFFER + b"Content-Length: 5\r\n"),
    ],
    ids=["tunnel", "HTTP/2 at once", "two lengths"],
)
def test_what_is_no_request_of_http_1_is_refused_and_the_connection_closed(
    port: int, request_: bytes
) -> None:
    head, _, content = talk(port, request_).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400")
    assert b"\r\nconnection: close" in head
    # As every other error, and as documented.
    problem = Problem.model_validate_json(content)
    assert problem.detail
    assert problem.status == 400
    assert f"\r\nx-request-id: {problem.request_id}".encode() in head
    assert b"\r\ncontent-type: application/problem+json" in head


def test_curl_with_http_2_is_answered(port: int) -> None:
    if not shutil.which("curl"):
        pytest.skip("there is no curl")
    command = ["curl", "-sS", "--http2", f"http://127.0.0.1:{port}/a", "-d", "hello"]
    done = subprocess.run([*command, "--noproxy", "*"], capture_output=True, text=True)
    if "doesn't support" in done.stderr or "not supported" in done.stderr:
        pytest.skip(done.stderr)
    assert done.stdout == "POST /a hello", done.stderr
