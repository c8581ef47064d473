"""`pipeline drift` on a real API: iris flowers as in training, then longer ones."""

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
from tests.support.json_content import Json
from tests.support.serving import NO_WAY_OUT, ROOT, Api

pytestmark = pytest.mark.slow
Row = dict[str, float]


def flowers(count: int) -> list[Row]:
    """Return rows that are distributed like the training data."""
    table = strategies.table(tasks.load("iris"), count, seed=count)
    features = table.drop(columns="species")
    rows: Any = features.to_dict("records")
    return list(rows)


def arguments(api: Api, *more: str) -> list[str]:
    url = f"http://127.0.0.1:{api.port}"
    return ["drift", *more, "--api", url, "--out", str(api.folder / "drift")]


def report(api: Api) -> tuple[str, Json]:
    """Return what the command prints about the flowers, as text and as JSON."""
    command = ["--repo", str(ROOT), *arguments(api, "iris")]
    as_text = CliRunner().invoke(app, command)
    as_json = CliRunner().invoke(app, [*command, "--json"])
    assert as_text.exit_code == 0
    assert as_text.stderr == ""
    assert as_json.exit_code == 0
    return as_text.stdout, json.loads(as_json.stdout)


def longer_flowers(count: int) -> list[Row]:
    """Return rows whose petals are longer than in the training data."""
    rows = flowers(count)
    for row in rows:
        row["petal_length"] = min(row["petal_length"] + 1.5, 8)
    return rows


def test_the_verdict_follows_the_requests(own_api: Api) -> None:
    line, drift = report(own_api)
    assert line.startswith("iris: too few rows; ")
    assert drift["verdict"] == "too few rows"

    own_api.post("/predict/iris", flowers(800))
    own_api.wait_for_rows(800)
    line, drift = report(own_api)
    assert line.startswith("iris: no drift; ")
    assert drift == own_api.get("/drift/iris")
    assert drift["rows"] == 800

    own_api.post("/predict/iris", longer_flowers(2000))
    own_api.wait_for_rows(2800)
    line, drift = report(own_api)
    verdict, _, _ = line.partition(";")
    assert verdict.startswith("iris: drift in ")
    assert "petal_length" in verdict
    assert "petal_length" in drift["drifted"]
    assert "sepal_width" not in drift["drifted"]


def test_a_line_for_every_task_and_one_sentence_for_an_error(own_api: Api) -> None:
    def run(*more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "pipeline", *arguments(own_api, *more)],
            cwd=ROOT,
            env=os.environ | NO_WAY_OUT,
            capture_output=True,
            text=True,
            check=False,
        )

    done = run()
    assert done.returncode == 0
    printed = {line.partition(":")[0] for line in done.stdout.splitlines()}
    assert printed == set(own_api.get("/models"))
    unknown = run("rain")
    assert unknown.returncode == 2
    assert "/drift/rain" in unknown.stderr
    own_api.stop()
    gone = run()
    assert gone.returncode == 1
    assert "start the API" in gone.stderr
    assert "Traceback" not in unknown.stderr + gone.stderr
