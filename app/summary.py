"""What people are told of the metrics: the main figures since the process began."""

from typing import Any

from prometheus_client.registry import Collector

from app.metrics import Metrics


def summary(metrics: Metrics) -> dict[str, Any]:
    """Return requests, errors and times by route, and predictions by task and outcome."""
    routes: dict[str, dict[str, Any]] = {}
    for sample in samples(metrics.requests):
        if sample.name.endswith("_total"):
            route = routes.setdefault(sample.labels["route"], {"requests": 0, "errors": 0})
            route["requests"] += int(sample.value)
            route["errors"] += int(sample.value) if sample.labels["status"] >= "400" else 0
    for name, route in routes.items():
        buckets = [
            (float(sample.labels["le"]), sample.value)
            for sample in samples(metrics.seconds)
            if sample.name.endswith("_bucket") and sample.labels["route"] == name
        ]
        for share in (0.5, 0.95, 0.99):
            route[f"p{share * 100:.0f}_ms"] = quantile(buckets, share)
    predictions: dict[str, dict[str, int]] = {}
    for sample in samples(metrics.predictions):
        if sample.name.endswith("_total"):
            outcomes = predictions.setdefault(sample.labels["task"], {})
            outcome = sample.labels["outcome"]
            outcomes[outcome] = outcomes.get(outcome, 0) + int(sample.value)
    return {"routes": routes, "predictions": predictions}


def samples(collector: Collector) -> list[Any]:
    """Return all samples of a metric."""
    return [sample for metric in collector.collect() for sample in metric.samples]


def quantile(buckets: list[tuple[float, float]], share: float) -> float | None:
    """Estimate a quantile in milliseconds as Prometheus does: straight within a bucket."""
    total, low, below = buckets[-1][1] if buckets else 0.0, 0.0, 0.0
    for high, count in buckets:
        if total and count >= share * total:
            if high == float("inf"):
                return round(low * 1000, 3)
            return round((low + (high - low) * (share * total - below) / (count - below)) * 1000, 3)
        low, below = high, count
    return None
