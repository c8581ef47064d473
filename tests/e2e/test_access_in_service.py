"""Access to a real server: keys, web pages of others, headers, request IDs."""

from typing import Any

import pytest

from tests.support.problems import problem_of
from tests.support.serving import ADMIN_KEY, AUTHORIZED, HOUSE, Api
from tests.support.waiting import wait_until

pytestmark = pytest.mark.slow
ALLOWED_PAGE = "https://example.org"
DRIFT = {
    "status": "firing",
    "labels": {"alertname": "DriftDetected", "task": "iris"},
}
ADMIN = [
    ("POST", "/models/iris/load", {"version": 1}),
    ("POST", "/model/load/" + "0" * 32, {}),
    ("POST", "/train", {"algorithm": "random_forest"}),
    ("POST", "/retrain", {}),
    ("POST", "/alerts", {"alerts": [DRIFT]}),
    ("GET", "/jobs/abc", None),
    ("GET", "/predictions", None),
]
WITHOUT_THE_KEY: list[dict[str, str] | dict[bytes, bytes]] = [
    {},
    {"X-API-Key": "wrong"},
    {b"X-API-Key": b"\xff"},
]


def test_a_request_id_makes_the_round_trip_into_the_log(api: Api) -> None:
    headers = {"X-Request-ID": "round-trip.1"}
    answer = api.client.post("/predict", json=HOUSE, headers=headers)
    assert answer.headers["x-request-id"] == "round-trip.1"
    assert answer.json()["request_id"] == "round-trip.1"
    line = api.logged("round-trip.1")
    assert line["path"] == "/predict"
    assert line["task"] == "housing"


@pytest.mark.parametrize("path", ["/", "/nothing", "/docs"])
def test_security_headers_are_set_and_other_web_pages_are_kept_out(
    api: Api, path: str
) -> None:
    answer = api.client.get(path, headers={"Origin": ALLOWED_PAGE})
    headers = dict(answer.headers)
    expected = {
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
        "referrer-policy": "no-referrer",
        "cache-control": "no-store",
    }
    assert headers.items() >= expected.items()
    assert "server" not in headers
    for name in headers:
        assert not name.startswith("access-control")


def allowed_origin(
    api: Api, method: str, path: str, body: object, origin: str
) -> str | None:
    """Return which web page may read the answer to a request of a page."""
    headers = {"Origin": origin}
    answer = api.client.request(method, path, json=body, headers=headers)
    assert answer.status_code == 200
    allowed: str | None = answer.headers.get("access-control-allow-origin")
    return allowed


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/models", None),
        ("POST", "/predict", HOUSE),
    ],
)
def test_a_web_page_that_is_named_may_call(
    guarded: Api, method: str, path: str, body: object
) -> None:
    request = (guarded, method, path, body)
    assert allowed_origin(*request, ALLOWED_PAGE) == ALLOWED_PAGE
    assert allowed_origin(*request, "https://example.com") is None


def test_a_web_page_may_ask_whether_it_may_call(guarded: Api) -> None:
    preflight = {
        "Origin": ALLOWED_PAGE,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type",
    }
    answer = guarded.client.options("/predict", headers=preflight)
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == ALLOWED_PAGE


@pytest.mark.parametrize(("method", "path", "body"), ADMIN)
def test_what_changes_something_needs_a_key(
    api: Api, guarded: Api, method: str, path: str, body: object
) -> None:
    answer = api.client.request(method, path, json=body, headers=AUTHORIZED)
    assert answer.status_code == 403
    assert "API_ADMIN_KEY" in answer.json()["detail"]
    for headers in WITHOUT_THE_KEY:
        answer = guarded.client.request(method, path, json=body, headers=headers)
        assert answer.status_code == 401
        assert "X-API-Key" in answer.json()["detail"]
        assert ADMIN_KEY not in answer.text


@pytest.mark.parametrize(("method", "path", "body"), ADMIN[:-1])
def test_without_a_worker_the_key_opens_a_path_that_says_so(
    guarded: Api, method: str, path: str, body: object
) -> None:
    answer = guarded.client.request(method, path, json=body, headers=AUTHORIZED)
    assert answer.status_code == 503
    assert "python -m pipeline serve-worker" in answer.json()["detail"]
    assert answer.headers["retry-after"] == "5"


def test_the_last_predictions_are_listed_for_who_has_the_key(guarded: Api) -> None:
    rows: list[dict[str, Any]] = []
    guarded.post("/predict", HOUSE)
    second = guarded.post("/predict", HOUSE)["request_id"]
    third = guarded.post("/predict", HOUSE)["request_id"]

    def latest() -> list[str]:
        path = "/predictions?limit=2&task=housing"
        rows[:] = guarded.client.get(path, headers=AUTHORIZED).json()
        return [row["request_id"] for row in rows]

    wait_until(lambda: latest() == [third, second])
    assert rows[0]["features"] == HOUSE


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("limit=0", "limit"),
        ("limit=1001", "limit"),
        ("limit=x", "limit"),
        ("task=" + "x" * 51, "task"),
    ],
)
def test_a_query_that_makes_no_sense_is_refused_with_its_parameter(
    guarded: Api, query: str, parameter: str
) -> None:
    path = f"/predictions?{query}"
    answer = guarded.client.get(path, headers=AUTHORIZED)
    assert answer.status_code == 422
    errors = problem_of(answer)["errors"]
    assert errors[0]["parameter"] == parameter
