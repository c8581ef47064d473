"""A histogram by task whose buckets are the task's own, such as the deciles of its
reference.
"""

import threading
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import accumulate

from prometheus_client import CollectorRegistry
from prometheus_client.core import HistogramMetricFamily
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString


class TaskHistogram(Collector):
    """Counts of values up to each bound; a list of them at once, which many requests
    bring.
    """

    def __init__(
        self, name: str, text: str, registry: CollectorRegistry, *more_labels: str
    ) -> None:
        self.name, self.text, self.labels = name, text, ("task", *more_labels)
        self._lock = threading.Lock()
        # For a task and its other labels the bounds, the values in each bucket and
        # beyond the last, and their sum.
        self._counted: dict[
            tuple[str, ...], tuple[Sequence[float], list[int], float]
        ] = {}
        registry.register(self)

    def observe(
        self, labels: tuple[str, ...], bounds: Sequence[float], values: Sequence[float]
    ) -> None:
        """Count values; with other bounds than before the counting begins anew."""
        with self._lock:
            known, counts, total = self._counted.get(labels, ((), [], 0.0))
            if known is not bounds and known != bounds:
                counts, total = [0] * (len(bounds) + 1), 0.0
            for value in values:
                counts[bisect_left(bounds, value)] += 1
            self._counted[labels] = bounds, counts, total + float(sum(values))

    def collect(self) -> Iterator[HistogramMetricFamily]:
        """Yield the family, each bucket with all below it, as Prometheus has them."""
        family = HistogramMetricFamily(self.name, self.text, labels=self.labels)
        with self._lock:
            for labels, (bounds, counts, total) in self._counted.items():
                limits = [*map(floatToGoString, bounds), "+Inf"]
                buckets = list(zip(limits, accumulate(counts), strict=True))
                family.add_metric(labels, buckets, total)
        yield family
