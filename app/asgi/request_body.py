"""The body of a request: bounded, decompressed, and in UTF-8."""

import asyncio
import codecs
import gzip
import io
import zlib
from collections.abc import Callable

from starlette.types import Message, Receive, Scope

from app.errors import ApiError, invalid

UTF16 = (
    codecs.BOM_UTF16_LE,
    codecs.BOM_UTF16_BE,
)  # UTF-32's begin with the same, or with zeros


async def read(scope: Scope, receive: Receive, limit: int) -> bytes:
    """Return the body as the client meant it, ready to be read as JSON.

    Args:
        limit: how many bytes there may be, as they are sent and once they are
            decompressed.

    Raises:
        ApiError: 400 for compressed data that are damaged, 413 for too many bytes, 415
            for an unknown compression and for UTF-16, 422 for text in another encoding.
    """
    coding = _coding(scope)
    body = await _receive_all(receive, limit)
    if coding:
        # Eight kilobytes may become eight megabytes: no other request should wait for
        # that.
        body = await asyncio.to_thread(_decompress, body, coding, limit)
    if body.isascii() and 0 not in body[:2]:
        return body
    return _as_utf8(body)


def receiver(scope: Scope, receive: Receive, limit: int) -> Receive:
    """Return an ASGI receiver that gives an application the body that `read` returns."""
    if scope["type"] != "http":
        return receive
    given = False

    async def give() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": await read(scope, receive, limit)}

    return give


async def _receive_all(receive: Receive, limit: int) -> bytes:
    body, more = bytearray(), True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ApiError(400, "the body ended too early.")
        body += message.get("body", b"")
        if len(body) > limit:
            raise ApiError(413, f"the body is larger than {limit:,} bytes.")
        more = message.get("more_body", False)
    return bytes(body)


def _coding(scope: Scope) -> str:
    """Return the compression that the headers name, empty if there is none.

    Raises:
        ApiError: 415 if it is not among those that are understood, or if there are
            several.
    """
    values = [value for name, value in scope["headers"] if name == b"content-encoding"]
    if not values:
        return ""
    named = b",".join(values).decode("latin-1").lower().split(",")
    codings = [name for word in named if (name := word.strip()) not in ("", "identity")]
    if not codings:
        return ""
    if len(codings) > 1 or codings[0] not in DECOMPRESS:
        listed = ", ".join(codings)[:100]
        raise ApiError(
            415,
            f"the body's Content-Encoding {listed!r} is not understood: send it as gzip,"
            " as deflate or uncompressed.",
            headers={"Accept-Encoding": "gzip, deflate"},
        )
    return codings[0]


def _decompress(body: bytes, coding: str, limit: int) -> bytes:
    try:
        content = DECOMPRESS[coding](body, limit + 1)
    except EOFError:
        raise ApiError(
            400, f"the body ends in the middle of its {coding} data."
        ) from None
    except (OSError, zlib.error):
        raise ApiError(
            400,
            f"the body is not {coding}, which its Content-Encoding names, or is"
            " damaged.",
        ) from None
    if len(content) > limit:
        raise ApiError(
            413, f"the body is larger than {limit:,} bytes once it is decompressed."
        )
    return content


def _gunzip(body: bytes, most: int) -> bytes:
    """Return at most so many bytes; a file may have several members."""
    with gzip.GzipFile(fileobj=io.BytesIO(body)) as file:
        return file.read(most)


def _inflate(body: bytes, most: int) -> bytes:
    """Return at most so many bytes of zlib's format, or of raw deflate."""
    try:
        return _inflate_as(zlib.MAX_WBITS, body, most)
    except zlib.error:
        return _inflate_as(-zlib.MAX_WBITS, body, most)


def _inflate_as(form: int, body: bytes, most: int) -> bytes:
    inflater = zlib.decompressobj(form)
    content = inflater.decompress(body, most)
    if inflater.unused_data:
        raise zlib.error("there are bytes after the end")
    if not inflater.eof and len(content) < most:
        raise EOFError
    return content


def _as_utf8(body: bytes) -> bytes:
    if body.startswith(UTF16) or 0 in body[:2]:
        raise ApiError(415, "the body is in UTF-16 or UTF-32: send the JSON as UTF-8.")
    body = body.removeprefix(codecs.BOM_UTF8)  # which PowerShell and .NET put before it
    try:
        body.decode("utf-8")
    except UnicodeDecodeError as error:
        what = (
            f"Invalid JSON: byte {error.start + 1} is not UTF-8, which JSON is"
            " written in"
        )
        raise invalid([{"loc": (), "msg": what}]) from None
    return body


DECOMPRESS: dict[str, Callable[[bytes, int], bytes]] = {
    "gzip": _gunzip,
    "x-gzip": _gunzip,
    "deflate": _inflate,
}
