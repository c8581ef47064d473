"""What the reconciler sends to an API, and what it makes of the answers."""

import json

import pytest

from core import api_key
from core.errors import UsageError
from core.manifest import Manifest
from pipeline.reconcile.running_api import RunningApi
from tests.support import service
from tests.support.web_servers import Server, serving

KEY = "a key of a client"


@pytest.fixture(scope="module")
def iris() -> Manifest:
    """The manifest of a model that a release puts into service."""
    service.make()
    content = (service.MODELS / "iris/manifest.json").read_bytes()
    return Manifest.model_validate_json(content)


def serve_as_promised(server: Server, manifest: Manifest) -> None:
    """Let a server say that it serves a model."""
    served = {
        "problem": None,
        "sha256": manifest.sha256,
        "version": manifest.version,
    }
    models = json.dumps({manifest.task: served})
    server.answers["/models"] = [(200, models.encode())]


@pytest.mark.parametrize("answer", [b"[]", b'"iris"', b'{"iris": {}}', b'{"iris": 1}'])
def test_a_list_of_models_that_is_none_of_ours_is_a_problem(
    iris: Manifest, answer: bytes
) -> None:
    with serving() as server:
        server.answers["/models"] = [(200, answer)]
        problem = RunningApi(server.url).wait_until_served([iris], 0)
    assert problem == f"{server.url} does not answer as the API of this project does"


@pytest.mark.parametrize(
    ("status", "answer", "problem"),
    [
        (200, b"{}", "does not answer as the API of this project does"),
        (200, b"<html>", "does not answer (JSONDecodeError)"),
        (401, b"{}", "iris: the golden request is answered with status 401"),
    ],
)
def test_a_prediction_that_is_none_is_a_problem(
    iris: Manifest, status: int, answer: bytes, problem: str
) -> None:
    with serving() as server:
        serve_as_promised(server, iris)
        server.answers["/predict/iris"] = [(status, answer)]
        api = RunningApi(server.url)
        assert api.problem([iris]) == ""
        assert problem in api.wait_until_served([iris], 0)


def test_a_proxy_gets_the_key_of_the_environment(
    iris: Manifest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(api_key.VARIABLE, raising=False)
    with serving() as server:
        serve_as_promised(server, iris)
        RunningApi(server.url).wait_until_served([iris], 0)
        for headers in server.sent:
            assert api_key.HEADER not in headers
        server.sent.clear()
        monkeypatch.setenv(api_key.VARIABLE, KEY)
        RunningApi(server.url).wait_until_served([iris], 0)
    assert "/predict/iris" in server.asked
    sent_keys = [headers[api_key.HEADER] for headers in server.sent]
    assert sent_keys == [KEY, KEY]


@pytest.mark.parametrize("key", ["caf\xe9 \u20ac", "two\nlines"])
def test_a_key_that_no_header_can_hold_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    monkeypatch.setenv(api_key.VARIABLE, key)
    with pytest.raises(UsageError, match="MLOPS_API_KEY is no key") as raised:
        RunningApi("http://127.0.0.1:9")
    assert key not in str(raised.value)
