"""The last hour: nothing that was counted is lost or told twice, whatever stops or
fails.
"""

import asyncio
import logging
import sqlite3
import time
from contextlib import closing, suppress
from pathlib import Path

import numpy as np
import pytest
from prometheus_client import CollectorRegistry, Counter, Histogram

from app.errors import ApiError
from app.observability.recent_metrics import MINUTES, RecentMetrics

KEY = "predictions_total|iris|setosa"
FASTER = 3_000  # a minute of the test is over in a fiftieth of a second


class Process:
    """One process' counters, and what it makes of them."""

    def __init__(self, file: Path) -> None:
        registry = CollectorRegistry()
        labels = ("task", "version", "outcome")
        self.predictions = Counter("predictions", "", labels, registry=registry)
        self.requests = Counter(
            "http_requests", "", ("method", "route", "status"), registry=registry
        )
        labels = ("task", "predicted_class")
        self.confidence = Histogram(
            "prediction_confidence", "", labels, registry=registry
        )
        self.minutes = RecentMetrics(file, registry)

    def predict(self, times: int, version: str = "1") -> None:
        self.predictions.labels("iris", version, "setosa").inc(times)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "log" / "predictions.db"


@pytest.fixture
def process(file: Path) -> Process:
    return Process(file)


def rows(file: Path) -> list[tuple[int, str, float]]:
    with closing(sqlite3.connect(file)) as connection:
        return connection.execute("SELECT * FROM minutes").fetchall()


def test_what_is_counted_belongs_to_its_minute(process: Process) -> None:
    process.predict(3)
    process.minutes.hour(100)
    process.predict(4)
    process.minutes.hour(102)
    process.predict(5)
    hour = process.minutes.hour(103)[KEY]
    assert len(hour) == MINUTES
    assert hour[-4:] == [3, 0, 4, 5] and sum(hour) == 12


def test_versions_are_added_up(process: Process) -> None:
    process.predict(1, version="1")
    process.predict(2, version="2")
    assert process.minutes.hour(100)[KEY][-1] == 3


def test_a_restart_loses_nothing(process: Process, file: Path) -> None:
    process.predict(3)
    process.minutes.hour(100)
    restarted = Process(file)
    restarted.predict(1)
    assert restarted.minutes.hour(101)[KEY][-2:] == [3, 1]


def test_processes_that_share_a_file_are_added_up(process: Process, file: Path) -> None:
    other = Process(file)
    for one, times in ((process, 3), (other, 4)):
        one.predict(times)
        one.minutes.hour(100)
    assert process.minutes.hour(100)[KEY] == other.minutes.hour(100)[KEY]
    assert process.minutes.hour(100)[KEY][-1] == 7


def test_an_hour_later_it_is_gone(process: Process, file: Path) -> None:
    process.predict(3)
    process.minutes.hour(100)
    assert process.minutes.hour(100 + MINUTES - 1)[KEY][0] == 3
    assert KEY not in process.minutes.hour(100 + MINUTES)
    process.predict(1)
    process.minutes.hour(100 + MINUTES)
    assert [minute for minute, _, _ in rows(file)] == [100 + MINUTES]


def test_a_minute_in_which_nothing_happened_is_not_written(
    process: Process, file: Path
) -> None:
    process.minutes.hour(100)
    process.predict(1)
    process.minutes.hour(101)
    process.minutes.hour(102)
    assert rows(file) == [(101, KEY, 1.0)]


@pytest.mark.parametrize(
    ("route", "counted"),
    [
        ("/predict", 1),
        ("/models", 1),
        ("other", 1),
        ("/metrics", 0),
        ("/health/ready", 0),
    ]
    + [("/dashboard", 0), ("/dashboard/figures", 0), ("/v2/health/live", 0)],
)
def test_who_only_looks_is_not_counted(
    process: Process, route: str, counted: int
) -> None:
    process.requests.labels("GET", route, "200").inc()
    process.requests.labels("GET", "/v2", "200").inc()
    assert process.minutes.hour(100)["http_requests_total|200"][-1] == counted + 1


def test_numbers_of_numpy_stay_numbers(process: Process) -> None:
    process.confidence.labels("iris", "setosa").observe(np.float32(0.25))
    process.confidence.labels("iris", "virginica").observe(np.float32(0.5))
    process.minutes.hour(100)
    assert process.minutes.hour(100)["prediction_confidence_sum|iris"][-1] == 0.75


def test_what_cannot_be_written_is_written_later(
    process: Process, file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file.parent.write_text("a file where the folder should be")
    process.predict(3)
    with (
        caplog.at_level(logging.ERROR),
        pytest.raises(ApiError, match=r"predictions\.db: .*exists"),
    ):
        process.minutes.hour(100)
    assert "not stored" in caplog.text
    file.parent.unlink()
    process.predict(1)
    process.minutes.hour(101)
    assert rows(file) == [(101, KEY, 4.0)]


def test_what_cannot_be_read_is_said(process: Process, file: Path) -> None:
    file.parent.mkdir()
    file.write_text("no database, but long enough to look like one" * 100)
    with pytest.raises(ApiError, match=r"predictions\.db.*not a database") as raised:
        process.minutes.hour(100)
    assert raised.value.status == 503


def test_the_last_minute_is_kept_when_the_process_ends(
    process: Process, file: Path
) -> None:
    async def live_shortly() -> None:
        watcher = asyncio.create_task(process.minutes.watch())
        await asyncio.sleep(0)
        process.predict(3)
        watcher.cancel()
        with suppress(asyncio.CancelledError):
            await watcher

    before = int(time.time() // 60)
    asyncio.run(live_shortly())
    [(minute, key, growth)] = rows(file)
    assert before <= minute <= time.time() // 60 and (key, growth) == (KEY, 3)


def test_each_minute_is_kept_at_its_end(process: Process, file: Path) -> None:
    start, pauses = time.monotonic(), list[float]()

    def now() -> float:
        return (time.monotonic() - start) * FASTER

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)
        await asyncio.sleep(seconds / FASTER)

    async def live_for_minutes() -> None:
        watcher = asyncio.create_task(process.minutes.watch(now, sleep))
        while len(pauses) < 5:
            process.predict(1)
            await asyncio.sleep(0.005)
        watcher.cancel()
        with suppress(asyncio.CancelledError):
            await watcher

    asyncio.run(live_for_minutes())
    minutes = [minute for minute, _, _ in rows(file)]
    assert minutes == sorted(minutes) and len(set(minutes)) >= 3
    assert all(0 < pause <= 60 for pause in pauses)
