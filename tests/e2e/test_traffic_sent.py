"""Traffic of each kind, sent to the API as it really runs."""

import json
import math
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest

from scripts import commands
from scripts.traffic import __main__ as program
from scripts.traffic.__main__ import main
from scripts.traffic.sending import AT_ONCE
from tests.conftest import posix
from tests.support.json_content import Json
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
    """Send traffic that fits the models of this API."""
    monkeypatch.setattr(program, "MODELS", MODELS)


Send = Callable[..., Json]
FAST = ("--rate", "1000")


@pytest.fixture
def send(api: Api, capsys: pytest.CaptureFixture[str]) -> Send:
    """Return a function that sends traffic and returns the counts."""

    def send_traffic(*arguments: str) -> Json:
        url = str(api.client.base_url)
        status = commands.run(main, [*arguments, "--url", url, "--json"])
        assert status == 0
        counts: Json = json.loads(capsys.readouterr().out)
        return counts

    return send_traffic


def predictions(api: Api) -> dict[str, float]:
    return {task: api.metric("predictions_total", task=task) for task in TASKS}


def test_all_kinds_reach_the_api(api: Api, send: Send) -> None:
    before = predictions(api)
    normal = send("normal", "--task", "iris", "--rows", "300", *FAST)
    assert normal["rows"] == 300
    assert normal["statuses"] == {"200": normal["requests"]}
    drifted = send("drifted", "--feature", "MedInc", "--rows", "100", *FAST)
    assert drifted["rows"] == 100  # the other tasks have no such feature
    slow = send("slow", "--task", "credit", "--rows", "3000", *FAST)
    assert slow["rows"] == 3000
    assert slow["requests"] <= 2
    after = predictions(api)
    added = {task: after[task] - before[task] for task in TASKS}
    assert added == {"iris": 300, "housing": 100, "credit": 3000}
    errors = send("errors", "--task", "iris", "--rows", "7", *FAST)
    assert errors["statuses"] == {"404": 1, "413": 1, "422": 5}
    assert errors["rows"] == 0


def test_feedback_is_as_good_as_the_holdout_says(api: Api, send: Send) -> None:
    options = ("--rows", "200", "--rate", "100", "--feedback")
    counts = send("--task", "iris", *options)
    assert counts["feedback"] == {"200": counts["requests"]}
    quality = api.get("/quality/iris")
    assert quality["rows"] == 200
    accuracy = quality["offline"]["accuracy"]
    # The rows are drawn: five standard errors are never exceeded by chance.
    error = math.sqrt(accuracy * (1 - accuracy) / quality["rows"])
    assert quality["live"]["accuracy"] == pytest.approx(accuracy, abs=5 * error)


def test_a_pace_is_kept(send: Send) -> None:
    counts = send("--task", "iris", "--rate", "20", "--seconds", "2")
    assert 35 <= counts["requests"] <= 40


@posix
def test_ctrl_c_ends_it_with_the_counts(api: Api) -> None:
    # A shell makes programs in the background ignore Ctrl-C.
    code = """
import signal, sys
from pathlib import Path
from scripts import commands
from scripts.traffic import __main__ as program
signal.signal(signal.SIGINT, signal.default_int_handler)
program.MODELS = Path(sys.argv.pop(1))
sys.exit(commands.run(program.main))
"""
    url = str(api.client.base_url)
    options = ["--task", "iris", *FAST, "--url", url]
    before = api.metric("predictions_total", task="iris")
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(MODELS), *options],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    # The API counts a request before its client has the answer; as many as are sent at
    # once may be on their way, so one more means that an answer has come.
    while api.metric("predictions_total", task="iris") <= before + AT_ONCE:
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 0
    assert err == ""
    assert "requests" in out
    assert "200: " in out
