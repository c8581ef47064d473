"""What Prometheus is told."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
)
from prometheus_client.exposition import choose_encoder

from app import tracing
from app.errors import ApiError
from app.model import Model, Prediction
from app.task_histogram import TaskHistogram

SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
SHARES = [0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1.0]
# Why there was no prediction, by the status that was answered.
REASONS = {400: "invalid", 404: "unknown_task", 413: "too_large", 422: "invalid", 503: "not_ready"}


class Metrics:
    """The API's metrics, in a registry of their own; `docs/metrics.md` is made from it."""

    def __init__(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        self._count_requests()
        self._count_predictions()
        self._show_models()
        self._show_drift()

    def _count_requests(self) -> None:
        self.requests = self._counter(
            "http_requests", "Requests answered", "method", "route", "status"
        )
        self.seconds = self._histogram(
            "http_request_duration_seconds", "Time to answer", SECONDS, "route"
        )
        self.waiting = self._gauge("http_requests_in_progress", "Requests begun and not answered")
        self.shed = self._counter("http_requests_shed", "Requests refused with 503 for overload")
        # Looking a child up by its labels costs more than counting.
        self.requests_of = cache(self.requests.labels)
        self.seconds_of = cache(self.seconds.labels)

    def _count_predictions(self) -> None:
        self.predictions = self._counter(
            "predictions",
            "Predictions given; the outcome is the class, or `value`",
            *("task", "version", "outcome"),
        )
        self.predictions_of = cache(self.predictions.labels)
        self.prediction_seconds = self._histogram(
            "prediction_duration_seconds", "Time to read, check and predict", SECONDS, "task"
        )
        self.prediction_seconds_of = cache(self.prediction_seconds.labels)
        self.prediction_errors = self._counter(
            "prediction_errors", "Requests without a prediction", "task", "reason"
        )
        self.confidence = TaskHistogram(
            "prediction_confidence", "Probability of the predicted class", self.registry
        )
        self.values = TaskHistogram(
            "prediction_value",
            "Predicted values; the buckets are the reference's deciles",
            self.registry,
        )
        self.pending = self._gauge(
            "prediction_log_pending", "Predictions that wait to be written to the log"
        )
        self.logged = self._counter("prediction_log_rows", "Predictions written to the log")
        self.dropped = self._counter(
            "prediction_log_dropped", "Predictions that the log lost", "reason"
        )
        for reason in ("full", "failed"):
            self.dropped.labels(reason)

    def _show_models(self) -> None:
        self.loaded = self._gauge("model_loaded", "1 if a model is in service", "task")
        self.current = self._gauge(
            "model_current", "1 if the files are what is served, 0 if they were refused", "task"
        )
        self.model = self._gauge(
            "model_info",
            "The model in service",
            *("task", "version", "run_id", "commit", "algorithm"),
        )
        self.load_seconds = self._gauge(
            "model_load_duration_seconds", "Time to open and check the model", "task"
        )
        self.reload_failures = self._counter(
            "model_reload_failures", "Model files that were refused", "task"
        )
        self.age = self._gauge("model_age_seconds", "Time since the model was promoted", "task")
        self.training_seconds = self._gauge(
            "training_duration_seconds", "Time that the training of the model took", "task"
        )
        self.offline = self._gauge(
            "model_offline_metric", "The model on the hold-out", "task", "metric"
        )
        self.live = self._gauge(
            "model_live_metric", "The model on the true values sent to /feedback", "task", "metric"
        )
        self.feedback = self._gauge(
            "feedback_rows", "Predictions with a true value, the newest 1,000 at most", "task"
        )

    def _show_drift(self) -> None:
        psi, threshold = (
            "Population stability index of the newest window",
            "From here on it is drift",
        )
        self.feature_psi = self._gauge("feature_drift_psi", psi, "task", "feature")
        self.feature_threshold = self._gauge(
            "feature_drift_threshold", threshold, "task", "feature"
        )
        self.prediction_psi = self._gauge("prediction_drift_psi", psi, "task", "part")
        self.prediction_threshold = self._gauge(
            "prediction_drift_threshold", threshold, "task", "part"
        )
        self.drifted = self._gauge(
            "drift_detected", "1 if the same drifted in two windows in a row, else 0", "task"
        )
        self.window_rows = self._gauge("drift_window_rows", "Rows in the newest window", "task")
        self.window_seconds = self._gauge(
            "drift_window_seconds", "Time from its first to its last row", "task"
        )
        self.window_timestamp = self._gauge(
            "drift_window_timestamp_seconds", "When its last row was predicted", "task"
        )

        self._of_one_model = (
            *(self.model, self.training_seconds, self.offline, self.live, self.feedback),
            *(self.feature_psi, self.feature_threshold, self.prediction_psi),
            *(self.prediction_threshold, self.drifted, self.window_rows, self.window_seconds),
            self.window_timestamp,
        )

    def show_model(self, task: str, model: Model | None, current: bool) -> None:
        """Show which model of a task is in service, and whether that is what the files hold."""
        self.current.labels(task).set(current)
        self.loaded.labels(task).set(model is not None)
        self.reload_failures.labels(task)
        if not model:
            return
        for gauge in self._of_one_model:  # what the model before had must not live on
            gauge.remove_by_labels({"task": task})
        manifest = model.manifest
        self.model.labels(
            *(task, str(manifest.version), manifest.run_id),
            *(manifest.commit[:12], manifest.algorithm),
        ).set(1)
        self.load_seconds.labels(task).set(model.load_seconds)
        promoted = manifest.promoted / 1000
        self.age.labels(task).set_function(lambda: time.time() - promoted)
        if manifest.training_seconds is not None:
            self.training_seconds.labels(task).set(manifest.training_seconds)
        for name, metric in manifest.holdout.metrics.items():
            self.offline.labels(task, name).set(metric.value)

    @contextmanager
    def predicting(self, task: str) -> Iterator[None]:
        """Time what answers a request for predictions, and count why there are none."""
        began = time.perf_counter()
        try:
            yield
        except Exception as error:
            status = error.status if isinstance(error, ApiError) else 500
            self.prediction_errors.labels(task, REASONS.get(status, "failed")).inc()
            raise
        self.prediction_seconds_of(task).observe(time.perf_counter() - began, tracing.ids())

    def count(self, model: Model, predictions: list[Prediction]) -> None:
        """Count predictions, those of classes by class; a regression has one outcome, `value`."""
        manifest = model.manifest
        task, version = manifest.task, str(manifest.version)
        given = [prediction["prediction"] for prediction in predictions]
        if not manifest.target.classes:
            self.predictions_of(task, version, "value").inc(len(given))
            self.values.observe(task, manifest.reference.predictions["value"].edges, given)
            return
        for outcome in set(given):
            self.predictions_of(task, version, outcome).inc(given.count(outcome))
        self.confidence.observe(task, SHARES, [found["confidence"] for found in predictions])

    def render(self, accept: str = "") -> tuple[bytes, str]:
        """Return all metrics in the format that a scraper accepts, and that format's media type."""
        encoder, media_type = choose_encoder(accept)
        text: bytes = encoder(self.registry)
        return text, media_type

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(name, text, labels, registry=self.registry)

    def _gauge(self, name: str, text: str, *labels: str) -> Gauge:
        return Gauge(name, text, labels, registry=self.registry)

    def _histogram(
        self, name: str, text: str, buckets: tuple[float, ...], *labels: str
    ) -> Histogram:
        return Histogram(name, text, labels, buckets=buckets, registry=self.registry)
