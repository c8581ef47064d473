"""What people are told of the metrics: the main figures since the process began."""

from collections import Counter, defaultdict
from typing import Any

from prometheus_client.registry import Collector

from app.observability.metrics import Metrics


def summary(metrics: Metrics) -> dict[str, Any]:
    """Return requests, errors and times by route, and predictions by task and outcome."""
    routes: dict[str, dict[str, Any]] = {}
    for labels, number in _samples(metrics.requests, "_total"):
        route = routes.setdefault(labels["route"], {"requests": 0, "errors": 0})
        route["requests"] += int(number)
        route["errors"] += int(number) if labels["status"] >= "400" else 0
    buckets: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for labels, number in _samples(metrics.seconds, "_bucket"):
        buckets[labels["route"]].append((float(labels["le"]), number))
    for name, route in routes.items():
        for share in (0.5, 0.95, 0.99):
            route[f"p{share * 100:.0f}_ms"] = _quantile(buckets[name], share)
    predictions: dict[str, Counter[str]] = defaultdict(Counter)
    for labels, number in _samples(metrics.predictions, "_total"):
        predictions[labels["task"]][labels["outcome"]] += int(number)
    return {"routes": routes, "predictions": predictions}


def _samples(collector: Collector, ending: str) -> list[tuple[dict[str, str], float]]:
    samples = (sample for metric in collector.collect() for sample in metric.samples)
    return [
        (sample.labels, sample.value)
        for sample in samples
        if sample.name.endswith(ending)
    ]


def _quantile(buckets: list[tuple[float, float]], share: float) -> float | None:
    """Estimate a quantile in milliseconds as Prometheus does: straight within a bucket."""
    total, low, below = buckets[-1][1] if buckets else 0.0, 0.0, 0.0
    for high, count in buckets:
        if total and count >= share * total:
            if high == float("inf"):
                return round(low * 1000, 3)
            return round(
                (low + (high - low) * (share * total - below) / (count - below)) * 1000,
                3,
            )
        low, below = high, count
    return None
