"""What every ASGI application here needs: paths without their prefix, and HEAD beside
GET.
"""

from starlette.types import ASGIApp, Message, Receive, Scope, Send


def route_path(scope: Scope) -> str:
    """Return a request's path without the prefix that it is reached under."""
    path: str = scope.get("path", "")
    return path.removeprefix(scope.get("root_path", ""))


class Head:
    """Answers HEAD as the application answers GET: same status, same headers, no body."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self.app(scope, receive, send)
            return

        async def send_no_body(message: Message) -> None:
            if message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        # A copy: the server must know, when it writes the answer, that this was a HEAD.
        as_get = {**scope, "method": "GET"}
        try:
            await self.app(as_get, receive, send_no_body)
        finally:
            scope.update(
                {**as_get, "method": "HEAD"}
            )  # such as the route, for metrics and log
