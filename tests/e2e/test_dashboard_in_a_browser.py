"""The page of the dashboard in a real browser, from a real server."""

import json
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from app.routes.dashboard import read
from pipeline.report import drift
from tests.support.browser import in_a_browser, open_page, visible_text
from tests.support.dashboard_page import figures, send_known_traffic
from tests.support.service import TASKS
from tests.support.serving import HOUSE, Api, edit
from tests.support.waiting import wait_until
from tests.support.web_servers import serving

pytestmark = [pytest.mark.slow, in_a_browser]
Browse = Callable[[str], str]
SLIDER = r'role="slider"[^>]*aria-valuetext="[^"]+"'
STATUSES = r"2xx answered 5\b.*4xx client's fault 2\b.*p50 [\d.]+ ms"


@pytest.fixture
def browse(tmp_path: Path) -> Browse:
    """Return a function that opens a page in a browser and returns its content."""
    return partial(open_page, tmp_path / "profile")


def dashboard(api: Api) -> str:
    return f"http://127.0.0.1:{api.port}/dashboard"


def test_the_page_shows_the_figures_under_its_policy(
    own_api: Api, browse: Browse
) -> None:
    address = dashboard(own_api)
    before = visible_text(browse(address))
    assert "./scripts/nox.sh -s traffic" in before
    assert "Requests 0 " in before
    flower = send_known_traffic(own_api)
    page = browse(address)
    text = visible_text(page)
    for expected in (
        "✓ ok",
        "Requests 7 ",
        "Clients' errors 28.6 % 2 of 4xx",
        "Predictions 9 in the hour",
        f"{flower} 2",
    ):
        assert expected in text
    assert re.search(STATUSES, text)
    for task in TASKS:
        pattern = rf"{task} … drift: no verdict yet Version \d+, "
        assert re.search(pattern, text), task
    sliders = re.findall(SLIDER, page)
    assert len(sliders) == 2 + 3 * len(TASKS)


def test_drift_and_live_quality_are_shown(tmp_path: Path, browse: Browse) -> None:
    houses = [HOUSE] * 1_000
    with Api(tmp_path / "api", API_DRIFT_SECONDS="0.5") as api:
        request_id = api.post("/predict", houses)["request_id"]
        api.post("/predict", houses)
        api.wait_for_rows(2_000)
        feedback = {"request_id": request_id, "truth": [4.0] * 1_000}
        api.post("/feedback", feedback)
        expected = {
            "drift_detected|housing": 1,
            "feedback_rows|housing": 1_000,
        }
        wait_until(lambda: figures(api)["now"].items() >= expected.items())
        text = visible_text(browse(dashboard(api)))
    assert re.search(r"housing ▲ drift .* newest window: 1,000 predictions in ", text)
    assert re.search(r"MedInc [\d.]+ [\d.]+ ▲ over", text)
    assert "live: 1,000 rows of feedback" in text


def test_the_saved_page_shows_the_same_without_the_api(
    own_api: Api, browse: Browse, tmp_path: Path
) -> None:
    flower = send_known_traffic(own_api)
    address = f"http://127.0.0.1:{own_api.port}"
    (_, path), *_ = drift.write(address, ["iris"], tmp_path / "drift")
    own_api.stop()
    text = visible_text(browse(path.as_uri()))
    assert "✓ ok" in text
    assert "Predictions 9 in the hour" in text
    assert f"{flower} 2" in text
    assert "No answer" not in text


def test_markup_in_data_stays_text(own_api: Api, browse: Browse) -> None:
    def shown_title() -> str:
        title: str = figures(own_api)["models"]["iris"]["title"]
        return title

    title = "<img src=x onerror=alert(1)> & more"
    edit(own_api.models / "iris", title=title)
    wait_until(lambda: shown_title() == title)
    page = browse(dashboard(own_api))
    assert "&lt;img src=x onerror=alert(1)&gt; &amp; more" in page
    assert "<img" not in page


def test_the_page_says_that_the_api_is_gone_and_goes_on(
    own_api: Api, browse: Browse
) -> None:
    send_known_traffic(own_api)
    page, _ = read()
    good = (200, json.dumps(figures(own_api)).encode())
    gone = (503, b'{"detail": "we are away."}')
    with serving() as server:
        address = f"{server.url}/dashboard"
        server.answers["/dashboard"] = [(200, page.encode())]
        server.answers["/dashboard/figures"] = [good, gone]
        text = visible_text(browse(address))
        assert re.search(r"✕ No answer since [\d:]+.*\(we are away\.\)", text)
        assert "Requests 7 " in text
        assert server.asked.count("/dashboard/figures") >= 3

        server.answers["/dashboard/figures"] = [gone, good]
        hidden = r'<div class="[^"]*" id="silence"[^>]* hidden="">'
        assert re.search(hidden, browse(address))
