"""Keeps the pages of the API's documentation from loading anything from elsewhere."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.asgi import route_path

PAGES = ("/docs", "/redoc", "/docs/oauth2-redirect")
# ReDoc would fetch a logo from its maker, and Swagger UI send the document to a
# validator.
POLICY = (
    b"connect-src 'self'; font-src 'self' data:; img-src 'self' data:; object-src"
    b" 'none'"
)


class DocumentationPolicy:
    """Adds to these pages the header `Content-Security-Policy`."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] != "http" or route_path(scope) not in PAGES:
            await self.app(scope, receive, send)
            return

        async def send_with_policy(message: Message) -> None:
            if message["type"] == "http.response.start":
                header = (b"content-security-policy", POLICY)
                message = {**message, "headers": [*message["headers"], header]}
            await send(message)

        await self.app(scope, receive, send_with_policy)
