"""`pipeline drift` prints the answers of the API and saves its page."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from app.routes.dashboard import PAGE
from core.errors import PipelineError, UsageError
from pipeline.cli import app
from tests.support.history_factories import new_workspace
from tests.support.json_content import Json
from tests.support.web_servers import Server, serving

TASK = "credit"
FIGURES = {
    "minute": 60,
    "hour": {},
    "now": {},
    "models": {},
    "problems": {},
}


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as running:
        yield running


def answer(server: Server, **changes: Any) -> Json:
    """Let the server answer as the API does, and return its answer about drift."""
    result = {
        "task": TASK,
        "verdict": "no drift",
        "drifted": [],
        **changes,
    }
    put(server, f"/drift/{TASK}", result)
    put(server, "/models", {TASK: {}})
    put(server, "/dashboard/figures", FIGURES)
    server.answers["/dashboard"] = [(200, PAGE.read_bytes())]
    return result


def put(server: Server, path: str, content: Any) -> None:
    server.answers[path] = [(200, json.dumps(content).encode())]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return the folder of a checkout."""
    folder = tmp_path / "clone"
    new_workspace(folder)
    return folder


def drift(root: Path, address: str, *arguments: str) -> Result:
    command = ["--repo", str(root), "drift", "--api", address, *arguments]
    return CliRunner().invoke(app, command)


def default_path(root: Path) -> Path:
    return root / "build" / "drift" / "dashboard.html"


def saved(path: Path) -> tuple[str, Json]:
    """Return the saved page without its figures, and the figures."""
    text = path.read_text("utf-8")
    (figures,) = re.findall(r'id="saved">(.*?)</script>', text)
    return text.replace(figures, "null"), json.loads(figures)


@pytest.mark.parametrize("arguments", [[], [TASK]])
def test_the_verdict_is_printed_and_the_page_of_the_api_saved(
    server: Server, root: Path, arguments: list[str]
) -> None:
    answer(server)
    done = drift(root, server.url, *arguments)
    path = default_path(root)
    assert done.exit_code == 0
    assert done.stdout == f"credit: no drift; {path}\n"
    page, figures = saved(path)
    assert page == PAGE.read_text("utf-8")
    assert figures.pop("time") > 1_700_000_000
    assert figures == FIGURES


def test_drifted_features_are_named(server: Server, root: Path) -> None:
    answer(server, verdict="drift", drifted=["savings", "age"])
    folder = root / "elsewhere"
    done = drift(root, server.url, "--out", str(folder))
    path = folder / "dashboard.html"
    assert done.stdout == f"credit: drift in savings, age; {path}\n"
    assert path.is_file()


def test_json_is_the_answer_of_the_api(server: Server, root: Path) -> None:
    expected = answer(server)
    done = drift(root, server.url, "--json")
    assert json.loads(done.stdout) == expected


def test_a_text_in_the_figures_does_not_end_their_element(
    server: Server, root: Path
) -> None:
    answer(server)
    problems = {TASK: "</script><b>"}
    put(server, "/dashboard/figures", FIGURES | {"problems": problems})
    done = drift(root, server.url)
    assert done.exit_code == 0
    path = default_path(root)
    _, figures = saved(path)
    assert figures["problems"] == problems
    assert "<b>" not in path.read_text("utf-8")


def test_an_unknown_task_is_a_usage_error(server: Server, root: Path) -> None:
    answer(server)
    error = drift(root, server.url, "rain").exception
    assert isinstance(error, UsageError)
    assert str(error) == (
        f"{server.url} does not have /drift/rain: {server.url}/models lists the tasks"
        " in service."
    )


@pytest.mark.parametrize(
    ("path", "status", "body", "message"),
    [
        ("/models", 503, b"", "responded with status 503: start the API"),
        ("/models", 200, b"<html>", "did not respond with JSON: start the API"),
        ("/dashboard", 200, b"<html>", "cannot be saved: the API and this checkout"),
    ],
)
def test_an_unusable_answer_is_one_sentence(
    server: Server, root: Path, path: str, status: int, body: bytes, message: str
) -> None:
    answer(server)
    server.answers[path] = [(status, body)]
    error = drift(root, server.url).exception
    assert isinstance(error, PipelineError)
    assert error.exit_status == 1
    assert f"{server.url}{path} {message}" in str(error)


def test_an_api_that_is_not_running_is_one_sentence(root: Path) -> None:
    error = drift(root, "http://127.0.0.1:9").exception
    assert "did not respond (ConnectionError): start the API" in str(error)
