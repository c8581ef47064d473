"""HTTP over real sockets: clients that offer HTTP/2 and WebSockets."""

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
    line = f"{scope['method']} {scope['path']} "
    text = line.encode() + body
    length = str(len(text)).encode()
    start = {
        "type": "http.response.start",
        "status": 200,
        "headers": [(b"content-length", length)],
    }
    await send(start)
    await send({"type": "http.response.body", "body": text})


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """The port of a server that answers with what it received."""
    config = uvicorn.Config(
        echo,
        http=Http1Protocol,
        ws="none",
        lifespan="off",
        log_level="critical",
    )
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        serve = server.serve([listening])
        thread = threading.Thread(target=asyncio.run, args=[serve])
        thread.start()
        wait_until(lambda: server.started)
        _, number = listening.getsockname()
        yield number
        server.should_exit = True
        thread.join()


def talk(port: int, *parts: bytes) -> bytes:
    """Send parts one after the other; return all that comes until the server closes."""
    address = ("127.0.0.1", port)
    with socket.create_connection(address, timeout=10) as connection:
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
    request = post(b"/a", b"hello")
    pieces = [bytes([byte]) for byte in request]
    answer = talk(port, *pieces, last(b"/end"))
    assert b"POST /a hello" in answer


def test_a_large_body_arrives_whole(port: int) -> None:
    length = 1_000_000
    request = post(b"/a", b"x" * length)
    answer = talk(port, request, last(b"/end"))
    assert answer.count(b"x") == length


def test_a_chunked_body_arrives(port: int) -> None:
    head = (
        b"POST /a HTTP/1.1\r\nHost: x\r\n"
        + OFFER
        + b"Transfer-Encoding: chunked\r\n\r\n"
    )
    first = b"3\r\nabc\r\n"
    rest = b"2\r\nde\r\n0\r\n\r\n"
    answer = talk(port, head + first, rest, last(b"/end"))
    assert b"POST /a abcde" in answer
    assert answer.endswith(b"GET /end ")


def test_requests_that_are_sent_ahead_are_answered_in_order(port: int) -> None:
    requests = []
    for number in range(6):
        offer = OFFER if number % 2 else b""
        request = post(b"/%d" % number, b"body%d" % number, offer)
        requests.append(request)
    answer = talk(port, b"".join(requests) + last(b"/end"))
    places = []
    for number in range(6):
        place = answer.index(b"POST /%d body%d" % (number, number))
        places.append(place)
    assert places == sorted(places)
    assert answer.endswith(b"GET /end ")


def test_a_client_can_have_the_connection_closed(port: int) -> None:
    headers = OFFER.replace(b"Upgrade, H", b"close, Upgrade, H", 1)
    answer = talk(port, post(b"/a", b"hello", headers))
    assert answer.endswith(b"POST /a hello")


def test_the_connection_of_an_http_1_0_client_is_closed(port: int) -> None:
    request = (
        b"POST /a HTTP/1.0\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n"
        b"Content-Length: 2\r\n\r\nhi"
    )
    assert talk(port, request).endswith(b"POST /a hi")


@pytest.mark.parametrize("token", [b"websocket", b"TLS/1.0", b"foo/2, h2c", b"h2"])
def test_any_other_offer_is_ignored(port: int, token: bytes) -> None:
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
def test_a_request_that_is_not_http_1_is_refused_and_the_connection_closed(
    port: int, request_: bytes
) -> None:
    answer = talk(port, request_)
    head, _, content = answer.partition(b"\r\n\r\n")
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
        pytest.skip("curl is not installed")
    url = f"http://127.0.0.1:{port}/a"
    command = ["curl", "-sS", "--http2", "--noproxy", "*", url, "-d", "hello"]
    done = subprocess.run(command, capture_output=True, text=True)
    if "doesn't support" in done.stderr or "not supported" in done.stderr:
        pytest.skip(done.stderr)
    assert done.stdout == "POST /a hello", done.stderr
