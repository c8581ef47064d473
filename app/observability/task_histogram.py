"""A histogram whose buckets differ by task, such as the deciles of its reference."""

import threading
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

from prometheus_client import CollectorRegistry
from prometheus_client.core import HistogramMetricFamily
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

Labels = tuple[str, ...]


@dataclass
class _Series:
    """Counts of the values up to each bound and, the last, above all; and their sum."""

    bounds: Sequence[float]
    counts: list[int]
    total: float = 0.0


class TaskHistogram(Collector):
    """Counts many values at once, as a request with many records brings them."""

    def __init__(
        self, name: str, text: str, registry: CollectorRegistry, *more_labels: str
    ) -> None:
        self.name = name
        self.text = text
        self.labels = ("task", *more_labels)
        self._lock = threading.Lock()
        self._series: dict[Labels, _Series] = {}
        registry.register(self)

    def observe(
        self, labels: Labels, bounds: Sequence[float], values: Sequence[float]
    ) -> None:
        """Count values; with other bounds than before, counting starts again."""
        with self._lock:
            series = self._find(labels, bounds)
            for value in values:
                series.counts[bisect_left(bounds, value)] += 1
            series.total += float(sum(values))

    def _find(self, labels: Labels, bounds: Sequence[float]) -> _Series:
        series = self._series.get(labels)
        if series and (series.bounds is bounds or series.bounds == bounds):
            return series
        series = _Series(bounds, [0] * (len(bounds) + 1))
        self._series[labels] = series
        return series

    def collect(self) -> Iterator[HistogramMetricFamily]:
        """Yield the family; as in Prometheus, each bucket includes all below it."""
        family = HistogramMetricFamily(self.name, self.text, labels=self.labels)
        with self._lock:
            for labels, series in self._series.items():
                bounds = list(map(floatToGoString, series.bounds))
                bounds.append("+Inf")
                counts = accumulate(series.counts)
                buckets = list(zip(bounds, counts, strict=True))
                family.add_metric(labels, buckets, series.total)
        yield family
