"""Bodies as clients send them: compressed, with a byte order mark, in other encodings."""

import codecs
import gzip
import json
import tracemalloc
import zlib
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from app.asgi.request_body import read
from app.errors import ApiError
from tests.support.serving import golden

LIMIT = 1_000_000
RECORD = json.dumps(golden("iris")).encode()


def raw_deflate(content: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(content) + packer.flush()


def in_two_members(content: bytes) -> bytes:
    return gzip.compress(content[:20]) + gzip.compress(content[20:])


PACKED: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "gzip": ("gzip", gzip.compress),
    "upper case": ("GZIP", gzip.compress),
    "old name": ("x-gzip", gzip.compress),
    "members": ("gzip", in_two_members),
    "beside identity": ("identity, gzip", gzip.compress),
    "deflate": ("deflate", zlib.compress),
    "raw deflate": ("deflate", raw_deflate),
    "identity": ("identity", bytes),
    "empty": ("", bytes),
}
# The fast path, and one that FastAPI reads.
PATHS = ("/predict/iris", "/v2/models/iris/infer")


def request_of(path: str) -> bytes:
    """Return a body that a path accepts."""
    if path.startswith("/predict"):
        return RECORD
    one: dict[str, Any] = {"shape": [1, 1], "datatype": "FP32"}
    inputs = [
        one | {"name": name, "data": [value]} for name, value in golden("iris").items()
    ]
    return json.dumps({"inputs": inputs}).encode()


def error_of(answer: Any) -> str:
    is_v2 = answer.request.url.path.startswith("/v2")
    return str(answer.json()["error" if is_v2 else "detail"])


@pytest.fixture(scope="module")
def client(shared_client: TestClient) -> TestClient:
    return shared_client


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("name", PACKED)
def test_a_compressed_body_is_read(client: TestClient, path: str, name: str) -> None:
    coding, pack = PACKED[name]
    headers = {"Content-Encoding": coding, "Content-Type": "application/json"}
    answer = client.post(path, content=pack(request_of(path)), headers=headers)
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("coding", ["br", "zstd", "compress", "gzip, gzip", "gzip, br"])
def test_an_unknown_compression_is_named_with_what_is_understood(
    client: TestClient, path: str, coding: str
) -> None:
    answer = client.post(
        path, content=b"anything", headers={"Content-Encoding": coding}
    )
    assert answer.status_code == 415
    assert coding in error_of(answer)
    assert answer.headers["Accept-Encoding"] == "gzip, deflate"


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("name", ["gzip", "members", "deflate", "raw deflate"])
@pytest.mark.parametrize("damage", [lambda b: b[:-3], lambda b: b[: len(b) // 2]])
def test_compressed_data_that_are_cut_are_refused(
    client: TestClient, path: str, name: str, damage: Callable[[bytes], bytes]
) -> None:
    coding, pack = PACKED[name]
    cut = damage(pack(request_of(path)))
    answer = client.post(path, content=cut, headers={"Content-Encoding": coding})
    assert answer.status_code == 400
    assert error_of(answer) == f"the body ends in the middle of its {coding} data."


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
@pytest.mark.parametrize(
    "content",
    [RECORD, gzip.compress(RECORD)[:-8] + b"\0" * 8, gzip.compress(RECORD) + b"more"],
    ids=["plain text", "wrong checksum", "more after the end"],
)
def test_what_is_not_what_its_header_names_is_refused(
    client: TestClient, coding: str, content: bytes
) -> None:
    answer = client.post(
        "/predict/iris", content=content, headers={"Content-Encoding": coding}
    )
    assert answer.status_code == 400
    assert error_of(answer).startswith(f"the body is not {coding}")


async def body_of(content: bytes, coding: str = "", limit: int = LIMIT) -> bytes:
    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": content, "more_body": False}

    headers = [(b"content-encoding", coding.encode())] if coding else []
    return await read({"headers": headers}, receive, limit)


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("coding", "pack"),
    [("gzip", gzip.compress), ("deflate", zlib.compress), ("deflate", raw_deflate)],
)
async def test_a_small_body_that_becomes_a_huge_one_is_refused_before_it_does(
    coding: str, pack: Callable[[bytes], bytes]
) -> None:
    bomb = pack(b"0" * 30_000_000)
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
@pytest.mark.parametrize("size", [LIMIT, LIMIT + 1])
@pytest.mark.parametrize("name", PACKED)
async def test_the_limit_is_exact(name: str, size: int) -> None:
    coding, pack = PACKED[name]
    if size == LIMIT:
        assert len(await body_of(pack(b"x" * size), coding)) == size
        return
    with pytest.raises(ApiError) as refused:
        await body_of(pack(b"x" * size), coding)
    assert refused.value.status == 413


@pytest.mark.anyio
@given(st.binary())
async def test_any_bytes_give_a_body_or_a_refusal(content: bytes) -> None:
    for coding in ("", "gzip", "deflate"):
        try:
            (await body_of(content, coding)).decode("utf-8")
        except ApiError as error:
            assert error.status in (400, 413, 415, 422)


@pytest.mark.parametrize("path", PATHS)
def test_a_byte_order_mark_is_passed_over(client: TestClient, path: str) -> None:
    body = codecs.BOM_UTF8 + request_of(path)
    headers = {"Content-Type": "application/json"}
    assert client.post(path, content=body, headers=headers).status_code == 200
    headers["Content-Encoding"] = "gzip"
    assert (
        client.post(path, content=gzip.compress(body), headers=headers).status_code
        == 200
    )


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"]
)
def test_utf_16_is_named(client: TestClient, path: str, encoding: str) -> None:
    content = request_of(path).decode().encode(encoding)
    headers = {"Content-Type": f"application/json; charset={encoding}"}
    answer = client.post(path, content=content, headers=headers)
    assert answer.status_code == 415
    assert (
        error_of(answer) == "the body is in UTF-16 or UTF-32: send the JSON as UTF-8."
    )


@pytest.mark.parametrize("path", PATHS)
def test_a_byte_of_another_encoding_is_named(client: TestClient, path: str) -> None:
    answer = client.post(path, content='{"ä": 1}'.encode("latin-1"))
    assert answer.status_code == (400 if path.startswith("/v2") else 422)
    assert "byte 3 is not UTF-8" in error_of(answer)


def test_a_refused_body_is_counted(client: TestClient) -> None:
    def counted() -> float:
        lines = client.get("/metrics").text.splitlines()
        name = 'prediction_errors_total{reason="invalid",task="credit"}'
        return sum(float(line.split()[-1]) for line in lines if line.startswith(name))

    before = counted()
    client.post("/predict/credit", content=b"x", headers={"Content-Encoding": "br"})
    assert counted() == before + 1
