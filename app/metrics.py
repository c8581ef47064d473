"""What Prometheus is told; `summary` says the same to people."""

from functools import cache
from typing import Any

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.registry import Collector

from app.model import Model, Prediction

SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
SHARES = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1)


class Metrics:
    """The API's metrics, in a registry of their own."""

    def __init__(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        self.requests = self._counter(
            "http_requests", "Requests answered", "method", "route", "status"
        )
        self.seconds = self._histogram(
            "http_request_duration_seconds", "Time to answer", SECONDS, "route"
        )
        self.waiting = self._gauge("http_requests_in_progress", "Requests begun and not answered")
        # Looking a child up by its labels costs more than counting.
        self.requests_of = cache(self.requests.labels)
        self.seconds_of = cache(self.seconds.labels)
        self.shed = self._counter("http_requests_shed", "Requests refused with 503 for overload")
        self.predictions = self._counter(
            "mlops_predictions", "Predictions given", "task", "version", "outcome"
        )
        self.predictions_of = cache(self.predictions.labels)
        self.confidence = self._histogram(
            "mlops_prediction_confidence", "Probability of the predicted class", SHARES, "task"
        )
        self.model = self._gauge(
            "mlops_model_info", "The model in service", "task", "version", "run_id", "algorithm"
        )
        self.current = self._gauge(
            "mlops_model_current",
            "1 if the files are what is served, 0 if they were refused",
            "task",
        )
        self.promoted = self._gauge(
            "mlops_model_promoted_timestamp_seconds", "When the model was promoted", "task"
        )
        self.reload_failures = self._counter(
            "mlops_model_reload_failures", "Model files that were refused", "task"
        )
        self.logged = self._counter("mlops_prediction_log_rows", "Predictions written to the log")
        self.dropped = self._counter(
            "mlops_prediction_log_dropped", "Predictions that the log lost", "reason"
        )
        for reason in ("full", "failed"):
            self.dropped.labels(reason)

    def show_model(self, task: str, model: Model | None, current: bool) -> None:
        """Show which model of a task is in service, and whether that is what the files hold."""
        self.current.labels(task).set(current)
        self.reload_failures.labels(task)
        if model:
            self.model.remove_by_labels({"task": task})
            manifest = model.manifest
            version = str(manifest.version)
            self.model.labels(task, version, manifest.run_id, manifest.algorithm).set(1)
            self.promoted.labels(task).set(manifest.promoted / 1000)

    def count(self, model: Model, predictions: list[Prediction]) -> None:
        """Count predictions, those of classes by class; a regression has one outcome, `value`."""
        task, version = model.manifest.task, str(model.manifest.version)
        if not model.manifest.target.classes:
            self.predictions_of(task, version, "value").inc(len(predictions))
            return
        confidence = self.confidence.labels(task)
        for prediction in predictions:
            self.predictions_of(task, version, prediction["prediction"]).inc()
            confidence.observe(prediction["confidence"])

    def render(self) -> bytes:
        """Return Prometheus' text format."""
        return generate_latest(self.registry)

    def summary(self) -> dict[str, Any]:
        """Return the main figures since the process began."""
        routes: dict[str, dict[str, Any]] = {}
        for sample in _samples(self.requests):
            if sample.name.endswith("_total"):
                route = routes.setdefault(sample.labels["route"], {"requests": 0, "errors": 0})
                route["requests"] += int(sample.value)
                route["errors"] += int(sample.value) if sample.labels["status"] >= "400" else 0
        for name, route in routes.items():
            buckets = self._buckets(name)
            for share in (0.5, 0.95, 0.99):
                route[f"p{share * 100:.0f}_ms"] = _quantile(buckets, share)
        predictions: dict[str, dict[str, int]] = {}
        for sample in _samples(self.predictions):
            if sample.name.endswith("_total"):
                outcomes = predictions.setdefault(sample.labels["task"], {})
                outcome = sample.labels["outcome"]
                outcomes[outcome] = outcomes.get(outcome, 0) + int(sample.value)
        return {"routes": routes, "predictions": predictions}

    def _buckets(self, route: str) -> list[tuple[float, float]]:
        return [
            (float(sample.labels["le"]), sample.value)
            for sample in _samples(self.seconds)
            if sample.name.endswith("_bucket") and sample.labels["route"] == route
        ]

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(name, text, labels, registry=self.registry)

    def _gauge(self, name: str, text: str, *labels: str) -> Gauge:
        return Gauge(name, text, labels, registry=self.registry)

    def _histogram(
        self, name: str, text: str, buckets: tuple[float, ...], *labels: str
    ) -> Histogram:
        return Histogram(name, text, labels, buckets=buckets, registry=self.registry)


def _samples(collector: Collector) -> list[Any]:
    return [sample for metric in collector.collect() for sample in metric.samples]


def _quantile(buckets: list[tuple[float, float]], share: float) -> float | None:
    """Estimate a quantile in milliseconds as Prometheus does: straight within a bucket."""
    total, low, below = buckets[-1][1] if buckets else 0.0, 0.0, 0.0
    for high, count in buckets:
        if total and count >= share * total:
            if high == float("inf"):
                return round(low * 1000, 3)
            return round((low + (high - low) * (share * total - below) / (count - below)) * 1000, 3)
        low, below = high, count
    return None
