"""`pipeline drift` on a real API: flowers as it knows them, then the same ones grown."""

import json
import os
import subprocess
import sys
from typing import Any

import pytest
from typer.testing import CliRunner

from pipeline import tasks
from pipeline.cli import app
from tests.support import strategies
from tests.support.serving import NO_WAY_OUT, ROOT, Api

pytestmark = pytest.mark.slow
Row = dict[str, float]


def flowers(count: int) -> list[Row]:
    """Return rows that are distributed as those that the model was made of."""
    made = strategies.table(tasks.load("iris"), count, seed=count).drop(
        columns="species"
    )
    rows: list[Row] = made.to_dict("records")  # type: ignore[assignment]
    return rows


def arguments(api: Api, *more: str) -> list[str]:
    url = f"http://127.0.0.1:{api.port}"
    return ["drift", *more, "--api", url, "--out", str(api.folder / "drift")]


def said(api: Api) -> tuple[str, dict[str, Any], str]:
    """Return what the command prints about the flowers, its JSON, and the page."""
    words, machine = (
        CliRunner().invoke(app, ["--repo", str(ROOT), *arguments(api, "iris", *flag)])
        for flag in ([], ["--json"])
    )
    assert (words.exit_code, words.stderr, machine.exit_code) == (0, "", 0)
    page = (api.folder / "drift" / "iris.html").read_text("utf-8")
    return words.stdout, json.loads(machine.stdout), page


def test_the_page_follows_what_the_api_is_asked(own_api: Api) -> None:
    line, found, page = said(own_api)
    assert (
        line.startswith("iris: too few rows; ") and found["verdict"] == "too few rows"
    )
    assert "Too few rows for a verdict." in page and "none of them are there" in page

    own_api.post("/predict/iris", flowers(800))
    own_api.wait_for_rows(800)
    line, found, page = said(own_api)
    assert line.startswith("iris: no drift; ") and found == own_api.get("/drift/iris")
    assert found["rows"] == 800 and "No drift." in page and "400 rows" in page

    grown = [
        row | {"petal_length": min(row["petal_length"] + 1.5, 8)}
        for row in flowers(2000)
    ]
    own_api.post("/predict/iris", grown)
    own_api.wait_for_rows(2800)
    line, found, page = said(own_api)
    assert line.startswith("iris: drift in ") and "petal_length" in line.split(";")[0]
    assert "petal_length" in found["drifted"] and "sepal_width" not in found["drifted"]
    assert page.index('<section class="card over">') < page.index(
        '<section class="card">'
    )


def test_a_page_for_every_task_and_one_sentence_for_none(own_api: Api) -> None:
    def run(*more: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "pipeline", *arguments(own_api, *more)]
        through = os.environ | NO_WAY_OUT
        return subprocess.run(
            command, cwd=ROOT, env=through, capture_output=True, text=True, check=False
        )

    done = run()
    assert done.returncode == 0
    pages = {path.stem for path in (own_api.folder / "drift").iterdir()}
    assert pages == {line.partition(":")[0] for line in done.stdout.splitlines()}
    assert pages == set(own_api.get("/models"))
    unknown = run("rain")
    assert unknown.returncode == 2 and "/drift/rain" in unknown.stderr
    own_api.stop()
    gone = run()
    assert gone.returncode == 1 and "start the API" in gone.stderr
    assert "Traceback" not in unknown.stderr + gone.stderr
