"""The figures of the dashboard on a real server, after known traffic."""

import httpx
import pytest

from app.routes.dashboard import read
from tests.support.dashboard_page import figures, send_known_traffic, totals
from tests.support.service import TASKS
from tests.support.serving import Api, edit
from tests.support.waiting import wait_until

pytestmark = pytest.mark.slow
COUNTERS = ("predictions_total", "http_requests_total")


def test_the_figures_are_those_of_the_traffic(own_api: Api) -> None:
    flower = send_known_traffic(own_api)
    answer = figures(own_api)
    for minutes in answer["hour"].values():
        assert len(minutes) == 60
    assert answer["minute"] % 60 == 0
    assert answer["problems"] == dict.fromkeys(TASKS)
    for task in TASKS:
        assert answer["models"][task]["task"] == task
    assert answer["now"]["process_start_time_seconds"] > 0
    hour = totals(own_api)
    expected = {
        "predictions_total|housing|value": 7,
        f"predictions_total|iris|{flower}": 2,
        "http_requests_total|200": 5,
        "http_requests_total|404": 1,
        "http_requests_total|422": 1,
        "http_request_duration_seconds_bucket|+Inf": 7,
        "prediction_confidence_count|iris": 2,
    }
    assert hour.items() >= expected.items()
    statuses = [key for key in hour if key.startswith("http_requests_total")]
    assert len(statuses) == 3


def test_a_restart_keeps_the_hour(own_api: Api) -> None:
    def counted() -> dict[str, float]:
        counts = {}
        for key, total in totals(own_api).items():
            if key.startswith(COUNTERS):
                counts[key] = total
        return counts

    send_known_traffic(own_api)
    before = counted()
    assert len(before) == 5
    assert own_api.stop() == 0
    own_api.start()
    after = counted()
    assert after.items() >= before.items()


def test_a_model_that_is_not_served_has_a_place_all_the_same(own_api: Api) -> None:
    edit(own_api.models / "iris", sha256="0" * 64)
    wait_until(lambda: figures(own_api)["models"]["iris"]["problem"])
    own_api.stop()
    own_api.start()
    answer = figures(own_api)
    models = answer["models"]
    problems = answer["problems"]
    assert models["iris"] is None
    assert models["housing"]["version"] > 0
    assert "SHA-256" in problems["iris"]
    assert not problems["housing"]


def test_the_page_comes_with_its_policy(api: Api) -> None:
    page, policy = read()
    answer = api.client.get("/dashboard")
    assert answer.text == page
    expected = {
        "content-type": "text/html; charset=utf-8",
        "content-security-policy": policy,
        "x-frame-options": "DENY",
    }
    assert dict(answer.headers).items() >= expected.items()


def test_the_figures_are_described(api: Api) -> None:
    described = api.get("/openapi.json")["paths"]
    assert "/dashboard" not in described
    answers = described["/dashboard/figures"]["get"]["responses"]
    schema = answers["200"]["content"]["application/json"]["schema"]
    assert schema == {"$ref": "#/components/schemas/DashboardFigures"}
    answer = httpx.post(f"http://127.0.0.1:{api.port}/dashboard/figures")
    assert answer.status_code == 405
