"""The page about drift says what the API says, in every state that it can be in."""

import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from pipeline.cli import app
from tests.support.history_factories import new_workspace
from tests.support.service import MODELS, make
from tests.support.serving import manifest
from tests.support.web_servers import Server, serving

TASK = "credit"
ROWS = 500
SINCE, UNTIL = "2026-11-21T10:00:00.123456+00:00", "2026-11-21T11:12:13+00:00"
VOID = {"meta", "rect", "wbr"}


@pytest.fixture(autouse=True, scope="module")
def service() -> None:
    make()


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as running:
        yield running


def answer(server: Server, **changes: Any) -> dict[str, Any]:
    """Let the server answer as the API does for a window that is the reference; return
    it.
    """
    model = manifest(MODELS / TASK)
    reference = model["reference"]
    found: dict[str, Any] = {
        **{
            "task": TASK,
            "version": 7,
            "run_id": "a" * 32,
            "verdict": "no drift",
            "drifted": [],
        },
        **{"rows": 2 * ROWS, "rows_needed": 600},
        "windows": [{"rows": ROWS, "since": SINCE, "until": UNTIL, "drifted": []}] * 2,
        **{
            kind: {
                name: {
                    **{"psi": 0.001, "previous": 0.002, "threshold": 0.04},
                    **{"reference": part, "shares": part["shares"]},
                }
                for name, part in reference[kind].items()
            }
            for kind in ("features", "predictions")
        },
        **changes,
    }
    put(server, f"/drift/{TASK}", found)
    put(server, f"/models/{TASK}", model)
    put(server, "/models", {TASK: {}})
    return found


def put(server: Server, path: str, content: Any) -> None:
    server.answers[path] = [(200, json.dumps(content).encode())]


def call(tmp_path: Path, server: Server | str, *arguments: str) -> Result:
    url = server if isinstance(server, str) else server.url
    root = tmp_path / "clone"
    if not root.exists():
        new_workspace(root)
    return CliRunner().invoke(
        app, ["--repo", str(root), "drift", "--api", url, *arguments]
    )


class Page(HTMLParser):
    """What a browser would find: every tag closed, the words, and the addresses that it
    asks.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.open: list[str] = []
        self.pictures: list[int] = []  # bars of each picture
        self.addresses: list[str] = []
        self.cards: list[str] = []
        self.words = ""
        self.feed(path.read_text("utf-8"))
        assert self.open == []
        self.words = " ".join(self.words.split())

    def handle_starttag(
        self, tag: str, attributes: list[tuple[str, str | None]]
    ) -> None:
        self.addresses += [
            value or "" for key, value in attributes if key in ("src", "href")
        ]
        if tag == "svg" and self.open[-1] == "td":
            self.pictures.append(0)
        if tag == "rect" and "td" in self.open:
            self.pictures[-1] += 1
        if tag == "section":
            self.cards.append(dict(attributes)["class"] or "")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(
        self, tag: str, attributes: list[tuple[str, str | None]]
    ) -> None:
        self.handle_starttag(tag, attributes)
        assert tag in VOID

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag
        self.words += " " * (tag in ("td", "th"))

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.words += data


def page(tmp_path: Path, task: str = TASK) -> Page:
    return Page(tmp_path / "clone" / "build" / "drift" / f"{task}.html")


def test_without_drift_every_distribution_is_drawn_beside_its_reference(
    server: Server, tmp_path: Path
) -> None:
    found = answer(server)
    done = call(tmp_path, server)
    file = tmp_path / "clone" / "build" / "drift" / "credit.html"
    assert (done.exit_code, done.stdout) == (0, f"credit: no drift; {file}\n")
    shown = page(tmp_path)
    parts = [*found["features"].values(), *found["predictions"].values()]
    assert shown.pictures == [2] * sum(
        len(part["reference"]["shares"]) for part in parts
    )
    assert shown.cards == ["card"] * len(parts)
    assert shown.addresses == [] and "url(" not in file.read_text("utf-8")
    assert "German credit: no drift" in shown.words and "No drift." in shown.words
    assert "Newest: 500 rows, 2026-11-21 10:00 to 2026-11-21 11:12 UTC" in shown.words
    edges = found["features"]["age"]["reference"]["edges"]
    assert f"≤ {edges[0]:.4g}" in shown.words and f"> {edges[-1]:.4g}" in shown.words
    assert f"{edges[0]:.4g} – {edges[1]:.4g}" in shown.words
    assert "checking_account" in shown.words and "0_to_199_dm" in shown.words


def test_drift_comes_first_and_is_named(server: Server, tmp_path: Path) -> None:
    found = answer(server, verdict="drift", drifted=["savings"])
    found["features"]["savings"] |= {
        "psi": 0.3,
        "previous": 0.2,
        "shares": [0, 0, 0, 0, 1],
    }
    found["features"]["age"] |= {"psi": 0.035}
    found["windows"] = [
        window | {"drifted": ["savings"]} for window in found["windows"]
    ]
    put(server, f"/drift/{TASK}", found)
    done = call(
        tmp_path, server, TASK, "--out", str(tmp_path / "clone" / "build" / "drift")
    )
    assert done.exit_code == 0 and done.stdout.startswith("credit: drift in savings; ")
    shown = page(tmp_path)
    assert (
        "Drift in savings." in shown.words
        and "Over a threshold: savings." in shown.words
    )
    assert shown.cards[0] == "card over" and shown.cards.count("card over") == 1
    names = re.findall(r"(\w+) 0\.\d{3} 0\.\d{3} 0\.040 (\d+\.\d\d)", shown.words)
    assert names[:2] == [("savings", "7.50"), ("age", "0.88")]
    before = [
        100 * share for share in found["features"]["savings"]["reference"]["shares"]
    ]
    assert f"{before[0]:.1f} → 0.0 %" in shown.words
    assert f"{before[-1]:.1f} → 100.0 %" in shown.words


@pytest.mark.parametrize(
    ("rows", "there"),
    [(0, "600 predictions of this version of the model, and none"), (480, "480")],
)
def test_too_few_rows_are_no_verdict(
    server: Server, tmp_path: Path, rows: int, there: str
) -> None:
    found = answer(server, verdict="too few rows", rows=rows, windows=[])
    for part in (*found["features"].values(), *found["predictions"].values()):
        part |= {"psi": None, "previous": None, "shares": None}
    put(server, f"/drift/{TASK}", found)
    assert call(tmp_path, server).stdout.startswith("credit: too few rows; ")
    shown = page(tmp_path)
    assert (
        "Too few rows for a verdict." in shown.words
        and f"{there} of them are there" in shown.words
    )
    assert "How far everything has moved" not in shown.words
    assert set(shown.pictures) == {1}


def test_a_model_without_thresholds_is_said_to_be_one(
    server: Server, tmp_path: Path
) -> None:
    found = answer(server, verdict="no thresholds")
    for part in (*found["features"].values(), *found["predictions"].values()):
        part["threshold"] = None
    put(server, f"/drift/{TASK}", found)
    assert call(tmp_path, server).exit_code == 0
    assert "There are no thresholds for a verdict." in page(tmp_path).words


def test_for_machines_it_is_the_answer_itself(server: Server, tmp_path: Path) -> None:
    found = answer(server)
    done = call(tmp_path, server, "--json")
    assert json.loads(done.stdout) == found


def test_what_the_api_says_is_text_and_not_markup(
    server: Server, tmp_path: Path
) -> None:
    found = answer(server, verdict="drift", drifted=["<b>x"])
    found["features"]["<b>x"] = found["features"].pop("age")
    put(server, f"/drift/{TASK}", found)
    assert call(tmp_path, server).exit_code == 0
    assert "Drift in <b>x." in page(tmp_path).words


def test_an_unknown_task_and_no_answer_are_one_sentence(
    server: Server, tmp_path: Path
) -> None:
    answer(server)
    unknown = call(tmp_path, server, "rain").exception
    assert f"{server.url} has no /drift/rain: {server.url}/models lists" in str(unknown)
    assert getattr(unknown, "exit_status", None) == 2
    server.answers["/models"] = [(503, b"")]
    busy = call(tmp_path, server).exception
    assert f"{server.url}/models answers 503: start the API" in str(busy)
    assert getattr(busy, "exit_status", None) == 1
    gone = call(tmp_path, "http://127.0.0.1:9").exception
    assert "does not answer (ConnectionError): start the API" in str(gone)
    server.answers["/models"] = [(200, b"<html>")]
    assert "does not answer (JSONDecodeError)" in str(call(tmp_path, server).exception)
