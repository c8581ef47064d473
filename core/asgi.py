"""Helpers for every ASGI application here: paths without a prefix, and HEAD requests.

The types are those of the ASGI specification; no framework is imported.
"""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]


def route_path(scope: Scope) -> str:
    """Return a request's path without the prefix that a proxy added (`root_path`)."""
    path: str = scope.get("path", "")
    return path.removeprefix(scope.get("root_path", ""))


class Head:
    """Middleware that answers HEAD as GET: same status and headers, without a body."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self.app(scope, receive, send)
            return

        async def send_without_body(message: Message) -> None:
            if message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        # A copy, because the server must still see HEAD when it writes the response.
        as_get = {**scope, "method": "GET"}
        try:
            await self.app(as_get, receive, send_without_body)
        finally:
            # Metrics and logs need what routing added to the copy.
            scope.update(as_get)
            scope["method"] = "HEAD"
