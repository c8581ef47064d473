"""Human-readable summary of the metrics since the process started."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any

from prometheus_client import Metric
from prometheus_client.registry import Collector

from app.observability.metrics import Metrics

SHARES = (0.5, 0.95, 0.99)
# The upper bound of each bucket in seconds, and how many values are up to it.
Buckets = list[tuple[float, float]]


def summary(metrics: Metrics) -> dict[str, Any]:
    """Return requests, errors and latencies by route, and predictions by outcome."""
    return {"routes": _routes(metrics), "predictions": _predictions(metrics)}


def _routes(metrics: Metrics) -> dict[str, dict[str, Any]]:
    routes: dict[str, dict[str, Any]] = {}
    for labels, value in _samples(metrics.requests, "_total"):
        name = labels["route"]
        route = routes.setdefault(name, {"requests": 0, "errors": 0})
        count = int(value)
        route["requests"] += count
        if labels["status"] >= "400":
            route["errors"] += count
    buckets: dict[str, Buckets] = defaultdict(list)
    for labels, value in _samples(metrics.seconds, "_bucket"):
        name = labels["route"]
        bound = float(labels["le"])
        buckets[name].append((bound, value))
    for name, route in routes.items():
        for share in SHARES:
            key = f"p{share * 100:.0f}_ms"
            route[key] = _quantile(buckets[name], share)
    return routes


def _predictions(metrics: Metrics) -> dict[str, Counter[str]]:
    predictions: dict[str, Counter[str]] = defaultdict(Counter)
    for labels, value in _samples(metrics.predictions, "_total"):
        outcomes = predictions[labels["task"]]
        outcomes[labels["outcome"]] += int(value)
    return predictions


def _samples(
    collector: Collector, suffix: str
) -> Iterator[tuple[dict[str, str], float]]:
    """Yield the labels and values of the samples whose names have a suffix."""
    family: Metric
    for family in collector.collect():
        for sample in family.samples:
            if sample.name.endswith(suffix):
                yield sample.labels, sample.value


def _quantile(buckets: Buckets, share: float) -> float | None:
    """Return a quantile in milliseconds, interpolated in its bucket as by Prometheus."""
    total = buckets[-1][1] if buckets else 0.0
    if not total:
        return None
    rank = share * total
    low = 0.0
    below = 0.0
    for high, count in buckets:
        if count >= rank:
            break
        low = high
        below = count
    if high == float("inf"):
        return round(low * 1000, 3)
    part = (rank - below) / (count - below)
    seconds = low + (high - low) * part
    return round(seconds * 1000, 3)
