"""Traffic of each kind, sent to the API as it really runs."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from scripts import commands
from scripts.traffic import __main__ as program
from scripts.traffic.__main__ import main
from scripts.traffic.sending import AT_ONCE
from tests.conftest import posix
from tests.support.service import MODELS, TASKS
from tests.support.serving import ROOT, Api
from tests.support.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """The API as it really runs."""
    with Api(tmp_path_factory.mktemp("api")) as running:
        yield running


@pytest.fixture(autouse=True)
def models(monkeypatch: pytest.MonkeyPatch) -> None:
    """Send what fits the models that the API serves here."""
    monkeypatch.setattr(program, "MODELS", MODELS)


def sent(
    api: Api, capsys: pytest.CaptureFixture[str], *arguments: str
) -> dict[str, Any]:
    """Send traffic and return the counts."""
    url = str(api.client.base_url)
    assert commands.run(main, [*arguments, "--url", url, "--json"]) == 0
    counts: dict[str, Any] = json.loads(capsys.readouterr().out)
    return counts


def test_all_kinds_reach_the_api(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    fast = ("--rate", "1000")
    before = {task: api.metric("predictions_total", task=task) for task in TASKS}
    normal = sent(api, capsys, "normal", "--task", "iris", "--rows", "300", *fast)
    assert normal["rows"] == 300 and normal["statuses"] == {"200": normal["requests"]}
    drifted = sent(
        api, capsys, "drifted", "--feature", "MedInc", "--rows", "100", *fast
    )
    assert drifted["rows"] == 100  # the other tasks have no such feature
    slow = sent(api, capsys, "slow", "--task", "credit", "--rows", "3000", *fast)
    assert slow["rows"] == 3000 and slow["requests"] <= 2
    after = {task: api.metric("predictions_total", task=task) for task in TASKS}
    added = {task: after[task] - before[task] for task in TASKS}
    assert added == {"iris": 300, "housing": 100, "credit": 3000}
    errors = sent(api, capsys, "errors", "--task", "iris", "--rows", "7", *fast)
    assert errors["statuses"] == {"404": 1, "413": 1, "422": 5} and errors["rows"] == 0


def test_feedback_is_as_good_as_the_holdout_says(
    api: Api, capsys: pytest.CaptureFixture[str]
) -> None:
    told = sent(
        api, capsys, "--task", "iris", "--rows", "200", "--rate", "100", "--feedback"
    )
    assert told["feedback"] == {"200": told["requests"]}
    quality = api.get("/quality/iris")
    assert quality["rows"] == 200
    assert quality["live"]["accuracy"] == pytest.approx(
        quality["offline"]["accuracy"], abs=0.05
    )


def test_a_pace_is_kept(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    told = sent(api, capsys, "--task", "iris", "--rate", "20", "--seconds", "2")
    assert 35 <= told["requests"] <= 40


@posix
def test_ctrl_c_ends_it_with_the_counts(api: Api) -> None:
    # Whoever runs the tests in the background has made them ignore Ctrl-C.
    code = """
import signal, sys
from pathlib import Path
from scripts import commands
from scripts.traffic import __main__ as program
signal.signal(signal.SIGINT, signal.default_int_handler)
program.MODELS = Path(sys.argv.pop(1))
sys.exit(commands.run(program.main))
"""
    command = [sys.executable, "-c", code, str(MODELS), "--task", "iris"]
    command += ["--rate", "1000"]
    known = api.metric("predictions_total", task="iris")
    process = subprocess.Popen(
        [*command, "--url", str(api.client.base_url)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    # The API counts a request before its client has the answer; as many as are sent at
    # once may be on their way, so one more means that an answer has come.
    while api.metric("predictions_total", task="iris") <= known + AT_ONCE:
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 0 and err == ""
    assert "requests" in out and "200: " in out
