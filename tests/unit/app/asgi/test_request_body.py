"""Bodies as clients send them: compressed, with a byte order mark, in other encodings."""

import codecs
import gzip
import json

import pytest
from httpx import Response
from starlette.testclient import TestClient

from tests.support.compression import COMPRESSED
from tests.support.serving import golden

RECORD = json.dumps(golden("iris")).encode()
# The fast path, and one that FastAPI reads.
PATHS = ("/predict/iris", "/v2/models/iris/infer")


def request_of(path: str) -> bytes:
    """Return a body that a path accepts."""
    if path.startswith("/predict"):
        return RECORD
    inputs = []
    for name, value in golden("iris").items():
        tensor = {
            "name": name,
            "shape": [1, 1],
            "datatype": "FP32",
            "data": [value],
        }
        inputs.append(tensor)
    return json.dumps({"inputs": inputs}).encode()


def error_of(answer: Response) -> str:
    """Return the message of an error in either of its forms."""
    is_v2 = answer.request.url.path.startswith("/v2")
    message: str = answer.json()["error" if is_v2 else "detail"]
    return message


def post(
    client: TestClient, path: str, content: bytes, coding: str | None = None
) -> Response:
    """Send a body, with a header that names its compression if there is one."""
    headers = {"Content-Type": "application/json"}
    if coding is not None:
        headers["Content-Encoding"] = coding
    return client.post(path, content=content, headers=headers)


@pytest.fixture(scope="module")
def client(shared_client: TestClient) -> TestClient:
    return shared_client


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("name", COMPRESSED)
def test_a_compressed_body_is_read(client: TestClient, path: str, name: str) -> None:
    coding, compress = COMPRESSED[name]
    content = compress(request_of(path))
    answer = post(client, path, content, coding)
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("coding", ["br", "zstd", "compress", "gzip, gzip", "gzip, br"])
def test_an_unknown_compression_is_named_with_those_that_are_supported(
    client: TestClient, path: str, coding: str
) -> None:
    answer = post(client, path, b"anything", coding)
    assert answer.status_code == 415
    assert coding in error_of(answer)
    assert answer.headers["Accept-Encoding"] == "gzip, deflate"


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("name", ["gzip", "members", "deflate", "raw deflate"])
@pytest.mark.parametrize("missing", ["a few bytes", "half"])
def test_compressed_data_that_end_too_early_are_refused(
    client: TestClient, path: str, name: str, missing: str
) -> None:
    coding, compress = COMPRESSED[name]
    content = compress(request_of(path))
    length = len(content)
    end = length // 2 if missing == "half" else length - 3
    answer = post(client, path, content[:end], coding)
    assert answer.status_code == 400
    assert error_of(answer) == f"the body ends in the middle of its {coding} data."


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
@pytest.mark.parametrize(
    "content",
    [
        RECORD,
        gzip.compress(RECORD)[:-8] + b"\0" * 8,
        gzip.compress(RECORD) + b"more",
    ],
    ids=["plain text", "wrong checksum", "more after the end"],
)
def test_a_body_without_the_compression_that_its_header_names_is_refused(
    client: TestClient, coding: str, content: bytes
) -> None:
    answer = post(client, "/predict/iris", content, coding)
    assert answer.status_code == 400
    assert error_of(answer).startswith(f"the body is not {coding}")


@pytest.mark.parametrize("path", PATHS)
def test_a_byte_order_mark_is_ignored(client: TestClient, path: str) -> None:
    body = codecs.BOM_UTF8 + request_of(path)
    plain = post(client, path, body)
    assert plain.status_code == 200
    compressed = post(client, path, gzip.compress(body), "gzip")
    assert compressed.status_code == 200


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"]
)
def test_utf_16_is_named(client: TestClient, path: str, encoding: str) -> None:
    text = request_of(path).decode()
    headers = {"Content-Type": f"application/json; charset={encoding}"}
    answer = client.post(path, content=text.encode(encoding), headers=headers)
    assert answer.status_code == 415
    message = "the body is in UTF-16 or UTF-32: send the JSON as UTF-8."
    assert error_of(answer) == message


@pytest.mark.parametrize("path", PATHS)
def test_a_byte_of_another_encoding_is_named(client: TestClient, path: str) -> None:
    content = '{"ä": 1}'.encode("latin-1")
    answer = client.post(path, content=content)
    status = 400 if path.startswith("/v2") else 422
    assert answer.status_code == status
    assert "byte 3 is not UTF-8" in error_of(answer)


def test_a_refused_body_is_counted(client: TestClient) -> None:
    before = refused_bodies(client)
    post(client, "/predict/credit", b"x", "br")
    assert refused_bodies(client) == before + 1


def refused_bodies(client: TestClient) -> float:
    """Return how many bodies were refused for the task credit."""
    name = 'prediction_errors_total{reason="invalid",task="credit"}'
    for line in client.get("/metrics").text.splitlines():
        if line.startswith(name):
            return float(line.removeprefix(name))
    return 0
