"""The dashboard on a real server: its figures after known traffic, its page in a real
browser.
"""

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from html import unescape
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.routes.dashboard import read
from pipeline.report import drift
from tests.support.service import TASKS
from tests.support.serving import HOUSE, Api, edit, golden
from tests.support.waiting import wait_until
from tests.support.web_servers import serving
from tools.screenshots import BROWSERS, QUIET

pytestmark = pytest.mark.slow
BROWSER = next(filter(None, map(shutil.which, BROWSERS)), None)
in_a_browser = pytest.mark.skipif(
    BROWSER is None, reason="needs Chromium or a browser like it"
)
Look = Callable[[str], str]


@pytest.fixture
def look(tmp_path: Path) -> Look:
    """Return what opens a page and returns what it has become after 12 seconds of its
    time.

    The browser says aloud what a policy forbade and what went wrong in a script:
    nothing may.
    """

    def make(address: str) -> str:
        command = [
            str(BROWSER),
            *QUIET,
            "--enable-logging=stderr",
            "--virtual-time-budget=12000",
        ]
        command += [f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom", address]
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=120, check=True
        )
        complaints = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
        # That an answer was 503 the browser says itself.
        assert [line for line in complaints if "status of 503" not in line] == []
        return done.stdout

    return make


def text(page: str) -> str:
    """Return what can be read on a page, in one line."""
    shown = re.sub(r"(?s)<(script|style|noscript).*?</\1>", "", page)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", shown)).split())


def figures(api: Api) -> dict[str, Any]:
    found: dict[str, Any] = api.get("/dashboard/figures")
    return found


def totals(api: Api) -> dict[str, float]:
    return {key: sum(minutes) for key, minutes in figures(api)["hour"].items()}


def send(api: Api) -> str:
    """Send traffic of which everything is known; return the class that the flower is
    of.
    """
    for _ in range(3):
        api.post("/predict", HOUSE)
    api.post("/predict/housing", [HOUSE] * 4)
    flower: str = api.post("/predict/iris", [golden("iris")] * 2)["predictions"][0][
        "prediction"
    ]
    api.post("/predict", {"MedInc": "much"}, 422)
    api.client.get("/nothing")
    return flower


def test_the_figures_are_those_of_the_traffic(own_api: Api) -> None:
    flower = send(own_api)
    found = figures(own_api)
    assert all(len(minutes) == 60 for minutes in found["hour"].values())
    assert found["minute"] % 60 == 0
    assert found["problems"] == dict.fromkeys(TASKS)
    assert {task: found["models"][task]["task"] for task in TASKS} == {
        task: task for task in TASKS
    }
    hour = totals(own_api)
    assert hour["predictions_total|housing|value"] == 7
    assert hour[f"predictions_total|iris|{flower}"] == 2
    statuses = {
        key: count
        for key, count in hour.items()
        if key.startswith("http_requests_total")
    }
    assert statuses == {
        f"http_requests_total|{status}": count
        for status, count in {200: 5, 404: 1, 422: 1}.items()
    }
    assert hour["http_request_duration_seconds_bucket|+Inf"] == 7
    assert hour["prediction_confidence_count|iris"] == 2
    assert found["now"]["process_start_time_seconds"] > 0


def test_a_restart_keeps_the_hour(own_api: Api) -> None:
    send(own_api)
    before = totals(own_api)
    assert own_api.stop() == 0
    own_api.start()
    after = totals(own_api)
    counted = [
        key
        for key in before
        if key.startswith(("predictions_total", "http_requests_total"))
    ]
    assert len(counted) == 5
    assert {key: after[key] for key in counted} == {key: before[key] for key in counted}


def test_a_model_that_is_not_served_has_a_place_all_the_same(own_api: Api) -> None:
    edit(own_api.models / "iris", sha256="0" * 64)
    wait_until(lambda: figures(own_api)["models"]["iris"]["problem"])
    own_api.stop()
    own_api.start()
    found = figures(own_api)
    assert found["models"]["iris"] is None and found["models"]["housing"]["version"] > 0
    assert "SHA-256" in found["problems"]["iris"] and not found["problems"]["housing"]


def test_the_page_comes_with_its_policy(api: Api) -> None:
    answer = api.client.get("/dashboard")
    assert (
        answer.text == read()[0]
        and answer.headers["content-type"] == "text/html; charset=utf-8"
    )
    assert answer.headers["content-security-policy"] == read()[1]
    assert answer.headers["x-frame-options"] == "DENY"


@in_a_browser
def test_the_page_shows_the_figures_under_its_policy(own_api: Api, look: Look) -> None:
    address = f"http://127.0.0.1:{own_api.port}/dashboard"
    before = text(look(address))
    assert "./scripts/nox.sh -s traffic" in before and "Requests 0 " in before
    flower = send(own_api)
    page = look(address)
    seen = text(page)
    assert "✓ ok" in seen
    assert "Requests 7 " in seen and "Clients' errors 28.6 % 2 of 4xx" in seen
    assert "Predictions 9 in the hour" in seen and f"{flower} 2" in seen
    assert re.search(r"2xx answered 5\b.*4xx client's fault 2\b.*p50 [\d.]+ ms", seen)
    for task in TASKS:
        assert re.search(rf"{task} … drift: no verdict yet Version \d+, ", seen), task
    assert len(
        re.findall(r'role="slider"[^>]*aria-valuetext="[^"]+"', page)
    ) == 2 + 3 * len(TASKS)


@in_a_browser
def test_drift_and_live_quality_are_shown(tmp_path: Path, look: Look) -> None:
    with Api(tmp_path / "api", API_DRIFT_SECONDS="0.5") as api:
        request = api.post("/predict", [HOUSE] * 1_000)["request_id"]
        api.post("/predict", [HOUSE] * 1_000)
        api.wait_for_rows(2_000)
        api.post("/feedback", {"request_id": request, "truth": [4.0] * 1_000})
        wait_until(lambda: figures(api)["now"].get("drift_detected|housing") == 1)
        wait_until(lambda: figures(api)["now"].get("feedback_rows|housing") == 1_000)
        seen = text(look(f"http://127.0.0.1:{api.port}/dashboard"))
    assert re.search(r"housing ▲ drift .* newest window: 1,000 predictions in ", seen)
    assert re.search(r"MedInc [\d.]+ [\d.]+ ▲ over", seen)
    assert "live: 1,000 rows of feedback" in seen


@in_a_browser
def test_the_saved_page_shows_the_same_without_the_api(
    own_api: Api, look: Look, tmp_path: Path
) -> None:
    flower = send(own_api)
    address = f"http://127.0.0.1:{own_api.port}"
    (_, path), *_ = drift.write(address, ["iris"], tmp_path / "drift")
    own_api.stop()
    seen = text(look(path.as_uri()))
    assert "✓ ok" in seen
    assert "Predictions 9 in the hour" in seen
    assert f"{flower} 2" in seen
    assert "No answer" not in seen


@in_a_browser
def test_what_data_say_stays_text(own_api: Api, look: Look) -> None:
    title = "<img src=x onerror=alert(1)> & more"
    edit(own_api.models / "iris", title=title)
    wait_until(lambda: figures(own_api)["models"]["iris"]["title"] == title)
    page = look(f"http://127.0.0.1:{own_api.port}/dashboard")
    assert (
        "&lt;img src=x onerror=alert(1)&gt; &amp; more" in page and "<img" not in page
    )


@in_a_browser
def test_the_page_says_that_the_api_is_gone_and_goes_on(
    own_api: Api, look: Look
) -> None:
    send(own_api)
    good = json.dumps(figures(own_api)).encode()
    with serving() as server:
        server.answers["/dashboard"] = [(200, read()[0].encode())]
        gone = (503, b'{"detail": "we are away."}')
        server.answers["/dashboard/figures"] = [(200, good), gone]
        seen = text(look(f"{server.url}/dashboard"))
        assert re.search(r"✕ No answer since [\d:]+.*\(we are away\.\)", seen)
        assert "Requests 7 " in seen
        asked = server.asked.count("/dashboard/figures")
        assert asked >= 3

        server.answers["/dashboard/figures"] = [gone, (200, good)]
        page = look(f"{server.url}/dashboard")
        assert re.search(r'<div class="[^"]*" id="silence"[^>]* hidden="">', page)


def test_the_figures_are_described(api: Api) -> None:
    described = api.get("/openapi.json")
    assert "/dashboard" not in described["paths"]
    operation = described["paths"]["/dashboard/figures"]["get"]
    schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
    assert schema == {"$ref": "#/components/schemas/DashboardFigures"}
    answer = httpx.post(f"http://127.0.0.1:{api.port}/dashboard/figures")
    assert answer.status_code == 405
