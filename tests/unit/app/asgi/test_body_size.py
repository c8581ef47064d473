"""The limit of a body's size, which is that of the decompressed body."""

import gzip
import tracemalloc
import zlib
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.asgi.request_body import read
from app.errors import ApiError
from tests.support.compression import COMPRESSED, raw_deflate

LIMIT = 1_000_000


async def body_of(content: bytes, coding: str = "") -> bytes:
    """Read a body as the application does."""

    async def receive() -> dict[str, Any]:
        return {
            "type": "http.request",
            "body": content,
            "more_body": False,
        }

    headers = []
    if coding:
        header = b"content-encoding", coding.encode()
        headers.append(header)
    return await read({"headers": headers}, receive, LIMIT)


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("coding", "compress"),
    [
        ("gzip", gzip.compress),
        ("deflate", zlib.compress),
        ("deflate", raw_deflate),
    ],
)
async def test_a_small_body_that_becomes_a_huge_one_is_refused_before_it_does(
    coding: str, compress: Callable[[bytes], bytes]
) -> None:
    bomb = compress(b"0" * 30_000_000)
    tracemalloc.start()
    try:
        with pytest.raises(ApiError) as refused:
            await body_of(bomb, coding)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert refused.value.status == 413
    assert "1,000,000 bytes" in refused.value.message
    assert peak < 10 * LIMIT


@pytest.mark.anyio
@pytest.mark.parametrize("name", COMPRESSED)
async def test_a_body_of_the_allowed_size_is_read(name: str) -> None:
    coding, compress = COMPRESSED[name]
    body = b"x" * LIMIT
    content = await body_of(compress(body), coding)
    assert len(content) == LIMIT


@pytest.mark.anyio
@pytest.mark.parametrize("name", COMPRESSED)
async def test_a_body_with_one_byte_more_is_refused(name: str) -> None:
    coding, compress = COMPRESSED[name]
    body = b"x" * (LIMIT + 1)
    with pytest.raises(ApiError) as refused:
        await body_of(compress(body), coding)
    assert refused.value.status == 413


@pytest.mark.anyio
@given(st.binary())
async def test_any_bytes_give_a_body_or_a_refusal(content: bytes) -> None:
    for coding in ("", "gzip", "deflate"):
        try:
            body = await body_of(content, coding)
            body.decode("utf-8")
        except ApiError as error:
            assert error.status in (400, 413, 415, 422)
