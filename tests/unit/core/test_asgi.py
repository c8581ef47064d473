"""HEAD is answered as GET by any application; paths lose a prefix."""

import asyncio
from typing import Any

import pytest

from core.asgi import Head, Message, Receive, Scope, Send, route_path


class Echo:
    """An application that answers with the method that it sees."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["route"] = "echo"
        status = 200 if scope["method"] == "GET" else 405
        start = {
            "type": "http.response.start",
            "status": status,
            "headers": [],
        }
        await send(start)
        await send({"type": "http.response.body", "body": b"hello"})


def call(scope: dict[str, Any]) -> list[Message]:
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request"}

    async def send(message: Message) -> None:
        sent.append(message)

    middleware = Head(Echo())
    asyncio.run(middleware(scope, receive, send))
    return sent


def test_head_gets_the_answer_of_get_without_its_body() -> None:
    scope = {"type": "http", "method": "HEAD"}
    start, body = call(scope)
    assert start["status"] == 200
    assert body["body"] == b""
    # Metrics and logs get the route from the application, and the real method.
    assert scope == {
        "type": "http",
        "method": "HEAD",
        "route": "echo",
    }


@pytest.mark.parametrize(
    ("method", "status"),
    [
        ("GET", 200),
        ("POST", 405),
    ],
)
def test_other_methods_pass(method: str, status: int) -> None:
    start, body = call({"type": "http", "method": method})
    assert start["status"] == status
    assert body["body"] == b"hello"


@pytest.mark.parametrize(
    ("scope", "path"),
    [
        ({"path": "/health"}, "/health"),
        ({"path": "/mlops/health", "root_path": "/mlops"}, "/health"),
        ({"path": "/health", "root_path": "/mlops"}, "/health"),
        ({}, ""),
    ],
)
def test_a_path_is_without_its_prefix(scope: dict[str, Any], path: str) -> None:
    assert route_path(scope) == path
