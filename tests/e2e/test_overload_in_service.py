"""An API with too many requests, a locked database or a full disk."""

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.load import logged_request_ids, press
from tests.support.serving import HOUSE, Api
from tests.support.waiting import wait_until

pytestmark = pytest.mark.slow
PROBES = (
    "/health/live",
    "/health/ready",
    "/metrics",
    "/v2/health/ready",
)


def dropped_rows(api: Api) -> float:
    return api.metric("prediction_log_dropped_total", reason="failed")


def test_a_locked_log_of_predictions_fails_none_and_is_counted(own_api: Api) -> None:
    own_api.post("/predict", HOUSE)
    own_api.wait_for_rows(1)
    lock = sqlite3.connect(own_api.predictions, isolation_level=None)
    with closing(lock):
        lock.execute("BEGIN EXCLUSIVE")
        for _ in range(20):
            own_api.post("/predict", HOUSE)
        wait_until(lambda: dropped_rows(own_api) >= 20)
        lock.execute("ROLLBACK")
    assert dropped_rows(own_api) == 20
    own_api.post("/predict", HOUSE)
    own_api.wait_for_rows(2)
    assert len(logged_request_ids(own_api)) == 2
    log = own_api.log.read_text("utf-8")
    assert "predictions could not be logged" in log


def test_full_disks_under_both_logs_fail_no_prediction(tmp_path: Path) -> None:
    settings = {
        "API_PREDICTION_LOG": "/dev/full",
        "API_LOG_FILE": "/dev/full",
    }
    with Api(tmp_path, **settings) as api:
        for _ in range(20):
            api.post("/predict", HOUSE)
        wait_until(lambda: dropped_rows(api) == 20)
        wait_until(lambda: "No space left on device" in api.output())
        assert api.get("/health")["status"] == "ok"
        assert api.stop() == 0
        assert "Traceback" not in api.output()


def test_overload_is_refused_while_probes_and_accepted_requests_are_answered(
    tmp_path: Path,
) -> None:
    probes = 0
    with Api(tmp_path, API_MAX_WAITING="2") as api, ThreadPoolExecutor(1) as pool:
        pressed = pool.submit(press, api, 32, 3)
        while not pressed.done():
            for path in PROBES:
                answer = api.client.get(path)
                assert answer.status_code == 200
                probes += 1
        result = pressed.result()
        assert probes > 20
        assert result.broken == 0
        assert sorted(result.statuses) == [200, 503]
        refused = result.statuses[503]
        assert api.metric("http_requests_shed_total") == refused
        assert 0 < api.post("/predict", HOUSE)["prediction"] < 6
