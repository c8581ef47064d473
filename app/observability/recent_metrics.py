"""What happened in each minute of the last hour: the counters' growth, kept beside the
predictions.

To count the log's own rows would take seconds where an hour holds a million of them.
Some lines a minute cost nothing, outlive the process and add up over all processes that
share the file.
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

HOUR = 60
GROWING = ("_total", "_sum", "_count", "http_request_duration_seconds_bucket")
LEFT_OUT = ("method", "route", "version", "predicted_class")
# Who only looks is not counted: where little happens it would be all that is seen.
LOOKING = (*PROBE_PATHS, "/dashboard")
SCHEMA = (
    "CREATE TABLE IF NOT EXISTS minutes (minute, key, growth, PRIMARY KEY (minute,"
    " key))"
)
ADD = """
INSERT INTO minutes VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET growth = growth + excluded.growth
"""
Now = Callable[[], float]
Sleep = Callable[[float], Awaitable[None]]
log = logging.getLogger(__name__)


class RecentMetrics:
    """The counters' growth: of all processes up to this minute, of those that were
    asked in it.
    """

    def __init__(self, path: Path, registry: CollectorRegistry) -> None:
        self._path, self._registry = path, registry
        self._kept: dict[str, float] = {}
        self._lock = threading.Lock()

    def hour(self, now: int) -> dict[str, list[float]]:
        """Write down what was counted since the last time; return 60 minutes, `now` the
        last.

        Raises:
            ApiError: 503 if that cannot be written; nothing is lost, the next time
                writes it.
        """
        series: dict[str, list[float]] = defaultdict(lambda: [0.0] * HOUR)
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._lock, closing(sqlite3.connect(self._path)) as file:
                totals = self.totals()
                grown = (
                    (now, key, n - self._kept.get(key, 0)) for key, n in totals.items()
                )
                new = (
                    row
                    for row in grown
                    if row[2] and row[1].split("|")[0].endswith(GROWING)
                )
                file.execute(SCHEMA)
                file.execute("DELETE FROM minutes WHERE minute <= ?", (now - HOUR,))
                file.executemany(ADD, new)
                rows = file.execute(
                    "SELECT * FROM minutes WHERE minute <= ?", (now,)
                ).fetchall()
                file.commit()
                self._kept = totals
        except (sqlite3.Error, OSError) as error:
            log.error("a minute's figures were not kept", extra={"reason": str(error)})
            raise ApiError(
                503, f"the hour's figures in {self._path}: {error}."
            ) from error
        for minute, key, growth in rows:
            series[key][minute - now - 1] = growth
        return series

    async def watch(self, now: Now = time.time, sleep: Sleep = asyncio.sleep) -> None:
        """Write each minute down at its end, and what is left at the process' own.

        Args:
            now: Tells the time, in seconds since 1970.
            sleep: Waits that many seconds.
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
        """Return what `/metrics` says, by name and labels:
        `predictions_total|iris|setosa`.
        """
        totals: dict[str, float] = defaultdict(float)
        for sample in (
            sample for metric in self._registry.collect() for sample in metric.samples
        ):
            if not sample.labels.get("route", "").startswith(LOOKING):
                labels = (
                    value
                    for name, value in sample.labels.items()
                    if name not in LEFT_OUT
                )
                totals["|".join((sample.name, *labels))] += float(sample.value)
        return totals
