"""Prometheus metrics."""

import time
from functools import cache

import prometheus_client as prometheus
from prometheus_client import Counter, Gauge, Histogram
from prometheus_client.exposition import choose_encoder

from app.errors import ApiError
from app.observability.task_histogram import TaskHistogram
from app.serving.model import Model, Prediction
from core import tracing

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
LOAD_SECONDS = (0.1, 0.5, 1, 2, 5, 10)
SHARES = [0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1.0]
# Why there was no prediction, by the status that was answered.
REASONS = {
    400: "invalid",
    404: "unknown_task",
    413: "too_large",
    415: "invalid",
    422: "invalid",
    503: "not_ready",
}


class Metrics:
    """The API's metrics, in a registry of their own; `docs/metrics.md` is made from it."""

    def __init__(self) -> None:
        prometheus.disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = prometheus.CollectorRegistry()
        prometheus.ProcessCollector(registry=self.registry)
        prometheus.PlatformCollector(registry=self.registry)
        self._of_one_model: list[Gauge] = []
        self._count_requests()
        self._count_predictions()
        self._show_models()
        self._show_drift()

    def _count_requests(self) -> None:
        counter, gauge, histogram = self._counter, self._gauge, self._histogram
        self.requests = counter(
            "http_requests", "Requests answered", "method", "route", "status"
        )
        about = "Time to answer, without the time spent waiting for a job"
        self.seconds = histogram("http_request_duration_seconds", about, "route")
        self.waiting = gauge("http_requests_in_progress", "Requests in progress")
        self.shed = counter(
            "http_requests_shed", "Requests refused with 503 because of overload"
        )
        # Looking a child up by its labels costs more than counting.
        self.requests_of = cache(self.requests.labels)
        self.seconds_of = cache(self.seconds.labels)

    def _count_predictions(self) -> None:
        counter, histogram, registry = self._counter, self._histogram, self.registry
        about = "Predictions returned; the outcome is the class, or `value`"
        self.predictions = counter("predictions", about, "task", "version", "outcome")
        self.predictions_of = cache(self.predictions.labels)
        about = "Time to parse, validate and predict"
        self.prediction_seconds = histogram(
            "prediction_duration_seconds", about, "task"
        )
        self.prediction_seconds_of = cache(self.prediction_seconds.labels)
        about = (
            "Requests without a prediction; counted for the default task if their"
            " fields match no task"
        )
        self.errors = counter("prediction_errors", about, "task", "reason")
        about = "Probability of the predicted class"
        self.confidence = TaskHistogram(
            "prediction_confidence", about, registry, "predicted_class"
        )
        about = "Predicted values; the buckets are the reference's deciles"
        self.values = TaskHistogram("prediction_value", about, registry)
        self.pending = self._gauge(
            "prediction_log_pending", "Predictions waiting to be logged"
        )
        self.logged = counter("prediction_log_rows", "Predictions written to the log")
        self.dropped = counter(
            "prediction_log_dropped", "Predictions lost by the log", "reason"
        )
        for reason in ("full", "failed"):
            self.dropped.labels(reason)

    def _show_models(self) -> None:
        counter, gauge, of_model = self._counter, self._gauge, self._gauge_of_model
        self.loaded = gauge("model_loaded", "1 if a model is in service", "task")
        about = "1 if the files are served, 0 if they were rejected"
        self.up_to_date = gauge("model_up_to_date", about, "task")
        self.reload_failures = counter(
            "model_reload_failures", "Model files rejected", "task"
        )
        self.load_seconds = Histogram(
            "model_load_duration_seconds",
            "Time to open and check a model",
            ["task"],
            buckets=LOAD_SECONDS,
            registry=self.registry,
        )
        about = "When the model in service was promoted"
        self.promoted = of_model("model_promoted_timestamp_seconds", about)
        about = "The model in service"
        self.model = of_model(
            "model_info", about, "version", "run_id", "commit", "algorithm"
        )
        self.training_seconds = of_model(
            "training_duration_seconds", "How long its training took"
        )
        self.offline = of_model(
            "model_offline_metric",
            "Metric of the model in service on the hold-out",
            "metric",
        )
        self.live = of_model(
            "model_live_metric",
            "Metric of the model in service on the ground truth of /feedback",
            "metric",
        )
        self.feedback = of_model(
            "feedback_rows", "Predictions whose ground truth is known, up to 1,000"
        )

    def _show_drift(self) -> None:
        of_model = self._gauge_of_model
        psi, threshold = (
            "Population stability index of the newest window",
            "Values above it are drift",
        )
        self.feature_psi = of_model("feature_drift_psi", psi, "feature")
        self.feature_threshold = of_model(
            "feature_drift_threshold", threshold, "feature"
        )
        self.prediction_psi = of_model("prediction_drift_psi", psi, "output")
        self.prediction_threshold = of_model(
            "prediction_drift_threshold", threshold, "output"
        )
        self.drifted = of_model(
            "drift_detected", "1 if the same part drifted in both windows, else 0"
        )
        self.window_rows = of_model("drift_window_rows", "Rows in the newest window")
        about = "When its first row was predicted"
        self.window_start = of_model("drift_window_start_timestamp_seconds", about)
        about = "When its last row was predicted"
        self.window_timestamp = of_model("drift_window_timestamp_seconds", about)

    def show_model(self, task: str, model: Model | None, current: bool) -> None:
        """Show which model of a task is in service, and whether that is what the files
        hold.
        """
        self.up_to_date.labels(task).set(current)
        self.loaded.labels(task).set(model is not None)
        self.reload_failures.labels(task)
        if not model:
            return
        for gauge in self._of_one_model:  # what the model before had must not live on
            gauge.remove_by_labels({"task": task})
        manifest = model.manifest
        labels = (
            manifest.version,
            manifest.run_id,
            manifest.commit[:12],
            manifest.algorithm,
        )
        self.model.labels(task, *labels).set(1)
        self.promoted.labels(task).set(manifest.promoted / 1000)
        if manifest.training_seconds is not None:
            self.training_seconds.labels(task).set(manifest.training_seconds)
        for name, metric in manifest.holdout.metrics.items():
            self.offline.labels(task, name).set(metric.value)

    def predicting(self, task: str) -> "Asked":
        """Return what times a request for predictions, or counts why it got none."""
        return Asked(self, task)

    def count(self, model: Model, predictions: list[Prediction]) -> None:
        """Count predictions, those of classes by class; a regression has one outcome,
        `value`.
        """
        manifest = model.manifest
        task, version = manifest.task, str(manifest.version)
        given = [prediction["prediction"] for prediction in predictions]
        if not manifest.target.classes:
            self.predictions_of(task, version, "value").inc(len(given))
            self.values.observe(
                (task,), manifest.reference.predictions["value"].edges, given
            )
            return
        for outcome in set(given):
            self.predictions_of(task, version, outcome).inc(given.count(outcome))
            sure = [
                found["confidence"]
                for found in predictions
                if found["prediction"] == outcome
            ]
            self.confidence.observe((task, outcome), SHARES, sure)

    def render(self, accept: str = "") -> tuple[bytes, str]:
        """Return all metrics in the format that a scraper accepts, and that format's
        media type.
        """
        encoder, media_type = choose_encoder(accept)
        return encoder(self.registry), media_type

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(name, text, labels, registry=self.registry)

    def _gauge(self, name: str, text: str, *labels: str) -> Gauge:
        return Gauge(name, text, labels, registry=self.registry)

    def _gauge_of_model(self, name: str, text: str, *labels: str) -> Gauge:
        """Return a gauge by task that is emptied when another model is served."""
        gauge = self._gauge(name, text, "task", *labels)
        self._of_one_model.append(gauge)
        return gauge

    def _histogram(self, name: str, text: str, *labels: str) -> Histogram:
        return Histogram(name, text, labels, buckets=SECONDS, registry=self.registry)


class Asked:
    """A request for predictions, to be entered while it is answered.

    Attributes:
        task: what it is counted for, which may become known only once the body has been
            read.
    """

    # A generator in place of this class would cost every request a microsecond more.
    __slots__ = ("_metrics", "task", "_began")

    def __init__(self, metrics: Metrics, task: str) -> None:
        self._metrics, self.task = metrics, task

    def __enter__(self) -> "Asked":
        self._began = time.perf_counter()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: object
    ) -> None:
        if error is None:
            seconds = time.perf_counter() - self._began
            self._metrics.prediction_seconds_of(self.task).observe(
                seconds, tracing.ids()
            )
        elif isinstance(error, Exception):
            status = error.status if isinstance(error, ApiError) else 500
            self._metrics.errors.labels(self.task, REASONS.get(status, "failed")).inc()
