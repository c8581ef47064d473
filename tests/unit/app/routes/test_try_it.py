"""`GET /`: a page with the models for browsers, and JSON for everything else."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from httpx import Response
from starlette.testclient import TestClient

from app.main import create_app
from tests.support.json_content import Json
from tests.support.service import TASKS
from tests.support.serving import edit, served_manifest
from tests.unit.app.conftest import MakeSettings

BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
ELEMENT = r'(?s)<script type="application/json" id="page">(.*?)</script>'
MLFLOW = "http://127.0.0.1:5000"
SERVER = "https://mlflow.example.org"
Open = Callable[..., TestClient]


def data_of(response: Response) -> Json:
    """Return the data in the page, as its script reads them."""
    (text,) = re.findall(ELEMENT, response.text)
    data: Json = json.loads(text)
    return data


@pytest.fixture
def opened(settings: MakeSettings, folder: Path) -> Iterator[Open]:
    """Return a function that starts the API over the folder, with settings."""
    with ExitStack() as stack:

        def start(base_url: str = "http://testserver", **changes: object) -> TestClient:
            app = create_app(settings(**changes), lambda line: None)
            return stack.enter_context(TestClient(app, base_url=base_url))

        yield start


def test_a_browser_gets_the_page_and_a_program_the_links(
    shared_client: TestClient,
) -> None:
    page = shared_client.get("/", headers=BROWSER)
    assert page.status_code == 200
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    links = shared_client.get("/")
    assert links.headers["Content-Type"] == "application/json"
    assert set(links.json()) == {"name", "predict", "explain", "look"}
    for response in (page, links):
        assert response.headers["Vary"] == "Accept"


def test_head_has_the_headers_of_what_get_would_answer(
    shared_client: TestClient,
) -> None:
    for headers in (BROWSER, {}):
        get = shared_client.get("/", headers=headers)
        head = shared_client.head("/", headers=headers)
        assert head.status_code == 200
        assert head.content == b""
        for name in ("Content-Type", "Content-Length", "Vary"):
            assert head.headers[name] == get.headers[name]
        policy = "Content-Security-Policy"
        assert head.headers.get(policy) == get.headers.get(policy)


def test_the_document_describes_both(shared_client: TestClient) -> None:
    document = shared_client.get("/openapi.json").json()
    responses = document["paths"]["/"]["get"]["responses"]
    content = responses["200"]["content"]
    assert content == {
        "application/json": {"schema": {"$ref": "#/components/schemas/Overview"}},
        "text/html": {"schema": {"type": "string"}},
    }


def test_the_page_has_what_a_form_needs_of_every_task(
    shared_client: TestClient,
) -> None:
    models = data_of(shared_client.get("/", headers=BROWSER))["models"]
    assert sorted(models) == TASKS
    for task, model in models.items():
        manifest = served_manifest(task)
        for key in ("title", "version", "run_id", "features", "limits", "holdout"):
            assert model[key] == manifest[key], (task, key)
        assert model["problem"] is None


def test_a_model_that_cannot_be_served_is_named_with_the_reason(
    folder: Path, opened: Open
) -> None:
    edit(folder / "iris", sha256="0" * 64)
    models = data_of(opened().get("/", headers=BROWSER))["models"]
    assert set(models["iris"]) == {"task", "problem"}
    assert "SHA-256" in models["iris"]["problem"]
    assert models["housing"]["features"]


def test_markup_in_a_manifest_stays_data(folder: Path, opened: Open) -> None:
    title = "</script><img src=x onerror=alert(1)>"
    edit(folder / "iris", title=title)
    page = opened().get("/", headers=BROWSER)
    assert "<img" not in page.text
    assert data_of(page)["models"]["iris"]["title"] == title


@pytest.mark.parametrize(
    ("address", "host", "used"),
    [
        (MLFLOW, "http://127.0.0.1:8000", MLFLOW),
        (MLFLOW, "http://localhost:8000", MLFLOW),
        # A browser elsewhere would look for MLflow on its own machine.
        (MLFLOW, "http://lab.example.org", ""),
        (SERVER, "http://lab.example.org", SERVER),
        (SERVER, "http://localhost:8000", SERVER),
        ("", "http://localhost:8000", ""),
    ],
)
def test_the_page_knows_mlflow_where_the_browser_can_reach_it(
    opened: Open, address: str, host: str, used: str
) -> None:
    client = opened(host, mlflow_url=address)
    data = data_of(client.get("/", headers=BROWSER))
    assert data["mlflow"] == used
