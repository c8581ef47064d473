"""How much every counter grew in each minute of the last hour.

The growth is stored beside the predictions: a few rows per minute, which outlive the
process and add up over all processes that share the file. To count the rows of the
prediction log would take seconds when an hour holds a million of them.
"""

import asyncio
import logging
import sqlite3
import threading
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable
from contextlib import closing, suppress
from pathlib import Path

from prometheus_client import CollectorRegistry

from app.asgi.probes import PROBE_PATHS
from app.errors import ApiError

MINUTES = 60
SUFFIXES = ("_total", "_sum", "_count", "http_request_duration_seconds_bucket")
OMITTED_LABELS = ("method", "route", "version", "predicted_class")
# Probes, scrapes and the dashboard are excluded: on a quiet server they would dominate.
OMITTED_ROUTES = (*PROBE_PATHS, "/dashboard")
SCHEMA = """
CREATE TABLE IF NOT EXISTS minutes (minute, key, growth, PRIMARY KEY (minute, key))
"""
ADD = """
INSERT INTO minutes VALUES (?, ?, ?)
ON CONFLICT DO UPDATE SET growth = growth + excluded.growth
"""
FORGET = "DELETE FROM minutes WHERE minute <= ?"
SELECT = "SELECT minute, key, growth FROM minutes WHERE minute <= ?"
Row = tuple[int, str, float]
Now = Callable[[], float]
Sleep = Callable[[float], Awaitable[None]]
log = logging.getLogger(__name__)


class RecentMetrics:
    """The growth of the counters of all processes that share a file.

    Args:
        path: The SQLite file, which may have other tables.
        registry: The metrics of this process.
    """

    def __init__(self, path: Path, registry: CollectorRegistry) -> None:
        self._path = path
        self._registry = registry
        self._stored: dict[str, float] = {}
        self._lock = threading.Lock()

    def hour(self, minute: int) -> dict[str, list[float]]:
        """Store the growth since the last call; return that of 60 minutes by key.

        Args:
            minute: The present one, counted from 1970, which is the last of the 60.

        Raises:
            ApiError: 503 if the file can't be used; the next call stores the growth.
        """
        try:
            rows = self._exchange(minute)
        except (sqlite3.Error, OSError) as error:
            log.error("recent metrics were not stored", extra={"reason": str(error)})
            message = f"the recent metrics in {self._path}: {error}."
            raise ApiError(503, message) from error
        series: dict[str, list[float]] = defaultdict(lambda: [0.0] * MINUTES)
        for stored_minute, key, growth in rows:
            series[key][stored_minute - minute - 1] = growth
        return series

    def _exchange(self, minute: int) -> list[Row]:
        """Store the growth in the file and return its rows."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._lock, closing(sqlite3.connect(self._path)) as connection:
            totals = self.totals()
            connection.execute(SCHEMA)
            connection.execute(FORGET, (minute - MINUTES,))
            connection.executemany(ADD, self._growth(minute, totals))
            rows: list[Row] = connection.execute(SELECT, (minute,)).fetchall()
            connection.commit()
            self._stored = totals
        return rows

    def _growth(self, minute: int, totals: dict[str, float]) -> list[Row]:
        """Return how much each counter grew since the last call, if it did."""
        rows = []
        for key, total in totals.items():
            growth = total - self._stored.get(key, 0)
            name = key.split("|")[0]
            if growth and name.endswith(SUFFIXES):
                rows.append((minute, key, growth))
        return rows

    async def watch(self, now: Now = time.time, sleep: Sleep = asyncio.sleep) -> None:
        """Store each minute at its end, and what is left when the process ends.

        Args:
            now: Returns the time in seconds since 1970.
            sleep: Waits for a number of seconds.
        """
        try:
            while True:
                minute = int(now() // 60)
                await sleep((minute + 1) * 60 - now())
                with suppress(ApiError):
                    await asyncio.to_thread(self.hour, minute)
        finally:
            with suppress(ApiError):
                self.hour(minute)

    def totals(self) -> dict[str, float]:
        """Return the value of each metric by its name and labels.

        A key is such as `predictions_total|iris|setosa`.
        """
        totals: dict[str, float] = defaultdict(float)
        for family in self._registry.collect():
            for sample in family.samples:
                if sample.labels.get("route", "").startswith(OMITTED_ROUTES):
                    continue
                totals[_key(sample.name, sample.labels)] += float(sample.value)
        return totals


def _key(name: str, labels: dict[str, str]) -> str:
    kept = [value for label, value in labels.items() if label not in OMITTED_LABELS]
    return "|".join([name, *kept])
