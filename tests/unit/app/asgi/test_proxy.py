"""The API behind a proxy with a path prefix: links, documents, probes and errors."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from httpx import Response
from starlette.testclient import TestClient

from app.asgi import html_page
from app.main import create_app
from app.routes import try_it
from app.settings import Settings
from tests.support.problems import problem_of
from tests.support.serving import golden
from tests.unit.app.conftest import MakeSettings

PEER = "10.0.0.7"
Send = Callable[..., Response]


@contextmanager
def serving(settings: Settings) -> Iterator[TestClient]:
    """Yield a client of the API whose requests come from the proxy's address."""
    app = create_app(settings, lambda line: None)
    with TestClient(app, client=(PEER, 50_000)) as client:
        yield client


@pytest.fixture(params=["stripped", "kept", "in a header"])
def prefixed(
    request: pytest.FixtureRequest, settings: MakeSettings, folder: Path
) -> Iterator[Send]:
    """Return a function that requests a path below /ml through a proxy.

    The proxy strips the prefix, keeps it, or strips it and names it in a header.
    """
    changes = {"root_path": "/ml"}
    headers = {}
    if request.param == "in a header":
        changes = {"trusted_proxies": PEER}
        headers = {"X-Forwarded-Prefix": "/ml"}
    with serving(settings(**changes)) as client:

        def send(path: str, json: Any = None, accept: str = "*/*") -> Response:
            assert path.startswith("/ml"), "a link that leaves the prefix"
            if request.param != "kept":
                path = path.removeprefix("/ml") or "/"
            method = "GET" if json is None else "POST"
            sent = headers | {"Accept": accept}
            return client.request(method, path, json=json, headers=sent)

        yield send


@pytest.mark.parametrize("page", ["/ml/docs", "/ml/redoc"])
def test_the_documentation_links_to_paths_below_the_prefix(
    prefixed: Send, page: str
) -> None:
    text = prefixed(page).text
    attributes = re.findall(r'(?:src|href|spec-url)="(/[^"]*)"', text)
    settings = re.findall("url: '(/[^']*)'", text)
    links = {*attributes, *settings}
    assert "/ml/openapi.json" in links
    assert len(links) > 1
    for link in links:
        answer = prefixed(link)
        assert answer.status_code == 200, link


def test_the_overview_links_to_paths_below_the_prefix(prefixed: Send) -> None:
    overview = prefixed("/ml/").json()
    assert prefixed("/ml").json() == overview
    for link in overview["look"]:
        answer = prefixed(link)
        assert answer.status_code == 200, link
    for task, link in overview["predict"].items():
        record = golden("housing" if task == "default" else task)
        answer = prefixed(link, json=record)
        assert answer.status_code == 200, link


def test_the_page_of_the_models_links_to_paths_below_the_prefix(
    prefixed: Send,
) -> None:
    page = prefixed("/ml/", accept="text/html")
    assert prefixed("/ml", accept="text/html").text == page.text
    assert '"root":"/ml"' in page.text
    links = re.findall(r'href="([^"]*)"', page.text)
    assert len(links) > 3
    for link in links:
        answer = prefixed(link)
        assert answer.status_code == 200, link
    _, policy = html_page.read(try_it.PAGE)
    assert page.headers["Content-Security-Policy"] == policy


def test_the_document_names_the_prefix_as_its_server(prefixed: Send) -> None:
    document = prefixed("/ml/openapi.json").json()
    assert document["servers"] == [{"url": "/ml"}]
    assert "/predict/iris" in document["paths"]


def test_probes_errors_and_the_protocol_work_below_the_prefix(prefixed: Send) -> None:
    health = prefixed("/ml/health")
    assert health.json()["status"] == "ok"
    unknown_model = prefixed("/ml/v2/models/none")
    assert set(unknown_model.json()) == {"error"}
    unknown_path = prefixed("/ml/nothing")
    assert problem_of(unknown_path)["status"] == 404
    metrics = prefixed("/ml/metrics")
    assert 'route="/v2/models/{name}"' in metrics.text


def test_the_dashboard_has_only_relative_links(prefixed: Send) -> None:
    page = prefixed("/ml/dashboard").text
    assert not re.search(r'(?:href|src)="/|fetch\("/', page)


@pytest.mark.parametrize("page", ["/docs", "/redoc"])
def test_the_documentation_loads_nothing_from_elsewhere(
    shared_client: TestClient, page: str
) -> None:
    answer = shared_client.get(page)
    text = re.sub(r"<!--.*?-->", "", answer.text, flags=re.DOTALL)
    assert not re.search(r"""(?:src|href)=["'](?:https?:)?//""", text)
    rules = answer.headers["Content-Security-Policy"].split("; ")
    policy = dict(rule.split(" ", 1) for rule in rules)
    for kind in ("connect-src", "img-src", "font-src"):
        sources = policy[kind].removesuffix(" data:")
        assert sources == "'self'"


def test_other_paths_do_not_have_the_policy_of_the_documentation(
    shared_client: TestClient,
) -> None:
    answer = shared_client.get("/models")
    assert "Content-Security-Policy" not in answer.headers


def test_without_a_prefix_nothing_is_stripped(shared_client: TestClient) -> None:
    assert shared_client.get("/ml/health").status_code == 404
    document = shared_client.get("/openapi.json").json()
    assert document["servers"] == [{"url": "/"}]


def test_a_prefix_that_begins_like_a_path_is_not_confused_with_it(
    settings: MakeSettings, folder: Path
) -> None:
    with serving(settings(root_path="/model")) as client:
        assert client.get("/models").status_code == 200
        assert client.get("/model/models").status_code == 200
        assert client.get("/modelsmodels").status_code == 404
