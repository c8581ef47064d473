"""What the reconciler makes of the answers of an API."""

import json

import pytest

from core.manifest import Manifest
from pipeline.reconcile.running_api import RunningApi
from tests.support import service
from tests.support.web_servers import Server, serving


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
