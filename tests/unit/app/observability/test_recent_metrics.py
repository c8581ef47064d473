"""Recent metrics: no stop or failure loses growth or counts it twice."""

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
# A minute of the test takes a fiftieth of a second.
FASTER = 3_000


class Process:
    """The counters of one process, and its recent metrics."""

    def __init__(self, file: Path) -> None:
        registry = CollectorRegistry()
        self.predictions = Counter(
            "predictions",
            "",
            ["task", "version", "outcome"],
            registry=registry,
        )
        self.requests = Counter(
            "http_requests",
            "",
            ["method", "route", "status"],
            registry=registry,
        )
        self.confidence = Histogram(
            "prediction_confidence",
            "",
            ["task", "predicted_class"],
            registry=registry,
        )
        self.recent = RecentMetrics(file, registry)

    def predict(self, times: int, version: str = "1") -> None:
        self.predictions.labels("iris", version, "setosa").inc(times)

    def hour(self, minute: int) -> dict[str, list[float]]:
        """Return the growth of all counters in the hour that ends with a minute."""
        return self.recent.hour(minute)

    def growth(self, minute: int, key: str = KEY) -> list[float]:
        """Return the growth of a counter in the hour that ends with a minute."""
        return self.hour(minute)[key]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "log" / "predictions.db"


@pytest.fixture
def process(file: Path) -> Process:
    return Process(file)


def rows(file: Path) -> list[tuple[int, str, float]]:
    with closing(sqlite3.connect(file)) as connection:
        return connection.execute("SELECT * FROM minutes").fetchall()


def test_growth_belongs_to_its_minute(process: Process) -> None:
    process.predict(3)
    process.hour(100)
    process.predict(4)
    process.hour(102)
    process.predict(5)
    hour = process.growth(103)
    assert len(hour) == MINUTES
    assert hour[-4:] == [3, 0, 4, 5]
    assert sum(hour) == 12


def test_versions_are_added_up(process: Process) -> None:
    process.predict(1, version="1")
    process.predict(2, version="2")
    assert process.growth(100)[-1] == 3


def test_a_restart_loses_nothing(process: Process, file: Path) -> None:
    process.predict(3)
    process.hour(100)
    restarted = Process(file)
    restarted.predict(1)
    growth = restarted.growth(101)
    assert growth[-2:] == [3, 1]


def test_processes_that_share_a_file_are_added_up(process: Process, file: Path) -> None:
    other = Process(file)
    process.predict(3)
    process.hour(100)
    other.predict(4)
    other.hour(100)
    growth = process.growth(100)
    assert growth[-1] == 7
    assert other.growth(100) == growth


def test_growth_is_deleted_after_an_hour(process: Process, file: Path) -> None:
    process.predict(3)
    process.hour(100)
    after_an_hour = 100 + MINUTES
    growth = process.growth(after_an_hour - 1)
    assert growth[0] == 3
    assert KEY not in process.hour(after_an_hour)
    process.predict(1)
    process.hour(after_an_hour)
    assert rows(file) == [(after_an_hour, KEY, 1.0)]


def test_a_minute_without_growth_is_not_stored(process: Process, file: Path) -> None:
    process.hour(100)
    process.predict(1)
    process.hour(101)
    process.hour(102)
    assert rows(file) == [(101, KEY, 1.0)]


@pytest.mark.parametrize(
    ("route", "requests"),
    [
        ("/predict", 1),
        ("/models", 1),
        ("other", 1),
        ("/metrics", 0),
        ("/health/ready", 0),
        ("/dashboard", 0),
        ("/dashboard/figures", 0),
        ("/v2/health/live", 0),
    ],
)
def test_probes_scrapes_and_the_dashboard_are_excluded(
    process: Process, route: str, requests: int
) -> None:
    process.requests.labels("GET", route, "200").inc()
    process.requests.labels("GET", "/v2", "200").inc()
    growth = process.growth(100, "http_requests_total|200")
    assert growth[-1] == requests + 1


def test_numbers_of_numpy_stay_numbers(process: Process) -> None:
    setosa = process.confidence.labels("iris", "setosa")
    setosa.observe(np.float32(0.25))
    virginica = process.confidence.labels("iris", "virginica")
    virginica.observe(np.float32(0.5))
    process.hour(100)
    growth = process.growth(100, "prediction_confidence_sum|iris")
    assert growth[-1] == 0.75


def test_growth_that_cannot_be_stored_is_stored_later(
    process: Process, file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file.parent.write_text("a file where the folder should be")
    process.predict(3)
    error = pytest.raises(ApiError, match=r"predictions\.db: .*exists")
    with caplog.at_level(logging.ERROR), error:
        process.hour(100)
    assert "not stored" in caplog.text
    file.parent.unlink()
    process.predict(1)
    process.hour(101)
    assert rows(file) == [(101, KEY, 4.0)]


def test_a_file_that_is_not_a_database_is_named(process: Process, file: Path) -> None:
    file.parent.mkdir()
    file.write_text("not a database, but long enough to look like one" * 100)
    with pytest.raises(ApiError, match=r"predictions\.db.*not a database") as raised:
        process.hour(100)
    assert raised.value.status == 503


def test_the_last_minute_is_stored_when_the_process_ends(
    process: Process, file: Path
) -> None:
    async def live_shortly() -> None:
        watcher = asyncio.create_task(process.recent.watch())
        await asyncio.sleep(0)
        process.predict(3)
        await cancel(watcher)

    before = int(time.time() // 60)
    asyncio.run(live_shortly())
    ((minute, key, growth),) = rows(file)
    assert before <= minute <= time.time() // 60
    assert key == KEY
    assert growth == 3


async def cancel(task: "asyncio.Task[None]") -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


def test_each_minute_is_stored_at_its_end(process: Process, file: Path) -> None:
    start = time.monotonic()
    pauses: list[float] = []

    def now() -> float:
        return (time.monotonic() - start) * FASTER

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)
        await asyncio.sleep(seconds / FASTER)

    async def live_for_minutes() -> None:
        watcher = asyncio.create_task(process.recent.watch(now, sleep))
        while len(pauses) < 5:
            process.predict(1)
            await asyncio.sleep(0.005)
        await cancel(watcher)

    asyncio.run(live_for_minutes())
    minutes = [minute for minute, _, _ in rows(file)]
    assert minutes == sorted(minutes)
    assert len(set(minutes)) >= 3
    for pause in pauses:
        assert 0 < pause <= 60
