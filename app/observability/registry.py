"""A registry of Prometheus metrics, and short ways to add metrics to it."""

import prometheus_client as prometheus
from prometheus_client import Counter, Gauge, Histogram
from prometheus_client.exposition import choose_encoder

# Bounds of the buckets. Most answers take about a millisecond.
SECONDS = (
    0.0005,
    0.001,
    0.0025,
    0.005,
    0.01,
    0.025,
    0.05,
    0.1,
    0.25,
    0.5,
    1,
    2.5,
    5,
    10,
)


class Registry:
    """Metrics of one API, with those of its process."""

    def __init__(self) -> None:
        prometheus.disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = prometheus.CollectorRegistry()
        prometheus.ProcessCollector(registry=self.registry)
        prometheus.PlatformCollector(registry=self.registry)
        self._of_one_model: list[Gauge] = []

    def render(self, accept: str = "") -> tuple[bytes, str]:
        """Return all metrics in a format that the scraper accepts, and its media type."""
        encoder, media_type = choose_encoder(accept)
        return encoder(self.registry), media_type

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(name, text, labels, registry=self.registry)

    def _gauge(self, name: str, text: str, *labels: str) -> Gauge:
        return Gauge(name, text, labels, registry=self.registry)

    def _gauge_of_model(self, name: str, text: str, *labels: str) -> Gauge:
        """Return a gauge by task that `_forget_model` clears."""
        gauge = self._gauge(name, text, "task", *labels)
        self._of_one_model.append(gauge)
        return gauge

    def _forget_model(self, task: str) -> None:
        """Remove what describes the previous model of a task."""
        for gauge in self._of_one_model:
            gauge.remove_by_labels({"task": task})

    def _histogram(self, name: str, text: str, *labels: str) -> Histogram:
        return Histogram(name, text, labels, buckets=SECONDS, registry=self.registry)
