"""Prometheus metrics of the API; `docs/metrics.md` is generated from them."""

from functools import cache

from prometheus_client import Histogram

from app.observability.registry import Registry
from app.observability.task_histogram import TaskHistogram
from app.serving.model import Model, Prediction

# Bounds of buckets.
LOAD_SECONDS = (0.1, 0.5, 1, 2, 5, 10)
SHARES = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1.0)


class Metrics(Registry):
    """All metrics of the API, each an attribute."""

    def __init__(self) -> None:
        super().__init__()
        self._add_requests()
        self._add_predictions()
        self._add_prediction_log()
        self._add_models()
        self._add_quality()
        self._add_drift()

    def _add_requests(self) -> None:
        self.requests = self._counter(
            "http_requests",
            "Requests served",
            "method",
            "route",
            "status",
        )
        self.seconds = self._histogram(
            "http_request_duration_seconds",
            "Time to respond, excluding the time spent waiting for a job",
            "route",
        )
        self.waiting = self._gauge(
            "http_requests_in_progress",
            "Requests in progress",
        )
        self.shed = self._counter(
            "http_requests_shed",
            "Requests rejected with 503 because of overload",
        )
        # To look up a child by its labels costs more than to count.
        self.requests_of = cache(self.requests.labels)
        self.seconds_of = cache(self.seconds.labels)

    def _add_predictions(self) -> None:
        self.predictions = self._counter(
            "predictions",
            "Predictions returned; the outcome is the class, or `value`",
            "task",
            "version",
            "outcome",
        )
        self.prediction_seconds = self._histogram(
            "prediction_duration_seconds",
            "Time to parse, validate and predict",
            "task",
        )
        self.errors = self._counter(
            "prediction_errors",
            "Requests without a prediction; counted for the default task if their"
            " fields match no task",
            "task",
            "reason",
        )
        self.confidence = TaskHistogram(
            "prediction_confidence",
            "Probability of the predicted class",
            self.registry,
            "predicted_class",
        )
        self.values = TaskHistogram(
            "prediction_value",
            "Predicted values; the buckets are the reference's deciles",
            self.registry,
        )
        self.predictions_of = cache(self.predictions.labels)
        self.prediction_seconds_of = cache(self.prediction_seconds.labels)

    def _add_prediction_log(self) -> None:
        self.pending = self._gauge(
            "prediction_log_pending",
            "Predictions waiting to be logged",
        )
        self.logged = self._counter(
            "prediction_log_rows",
            "Predictions written to the log",
        )
        self.dropped = self._counter(
            "prediction_log_dropped",
            "Predictions that were not logged",
            "reason",
        )
        for reason in ("full", "failed"):
            self.dropped.labels(reason)

    def _add_models(self) -> None:
        self.loaded = self._gauge(
            "model_loaded",
            "1 if a model is in service",
            "task",
        )
        self.up_to_date = self._gauge(
            "model_up_to_date",
            "1 if the newest files are served, 0 if they were rejected",
            "task",
        )
        self.reload_failures = self._counter(
            "model_reload_failures",
            "Model files rejected",
            "task",
        )
        self.load_seconds = Histogram(
            "model_load_duration_seconds",
            "Time to open and check a model",
            ["task"],
            buckets=LOAD_SECONDS,
            registry=self.registry,
        )
        self.promoted = self._gauge_of_model(
            "model_promoted_timestamp_seconds",
            "When the model in service was promoted",
        )
        self.model = self._gauge_of_model(
            "model_info",
            "The model in service",
            "version",
            "run_id",
            "commit",
            "algorithm",
        )
        self.training_seconds = self._gauge_of_model(
            "training_duration_seconds",
            "Duration of the training of the model in service",
        )

    def _add_quality(self) -> None:
        self.offline = self._gauge_of_model(
            "model_offline_metric",
            "Metric of the model in service on the hold-out",
            "metric",
        )
        self.live = self._gauge_of_model(
            "model_live_metric",
            "Metric of the model in service on the ground truth of /feedback",
            "metric",
        )
        self.feedback = self._gauge_of_model(
            "feedback_rows",
            "Predictions with ground truth, up to 1,000",
        )

    def _add_drift(self) -> None:
        psi = "Population stability index of the newest window"
        threshold = "A larger index counts as drift"
        self.feature_psi = self._gauge_of_model("feature_drift_psi", psi, "feature")
        self.feature_threshold = self._gauge_of_model(
            "feature_drift_threshold", threshold, "feature"
        )
        self.prediction_psi = self._gauge_of_model(
            "prediction_drift_psi", psi, "output"
        )
        self.prediction_threshold = self._gauge_of_model(
            "prediction_drift_threshold", threshold, "output"
        )
        self.drifted = self._gauge_of_model(
            "drift_detected",
            "1 if the same feature or output drifted in both windows, else 0",
        )
        self.window_rows = self._gauge_of_model(
            "drift_window_rows",
            "Rows in the newest window",
        )
        self.window_start = self._gauge_of_model(
            "drift_window_start_timestamp_seconds",
            "Time of the first prediction in the newest window",
        )
        self.window_timestamp = self._gauge_of_model(
            "drift_window_timestamp_seconds",
            "Time of the last prediction in the newest window",
        )

    def show_model(self, task: str, model: Model | None, up_to_date: bool) -> None:
        """Show which model of a task is in service, and whether the files hold it."""
        self.up_to_date.labels(task).set(up_to_date)
        self.loaded.labels(task).set(model is not None)
        self.reload_failures.labels(task)
        if not model:
            return
        self._forget_model(task)
        manifest = model.manifest
        commit = manifest.commit[:12]
        info = self.model.labels(
            task, manifest.version, manifest.run_id, commit, manifest.algorithm
        )
        info.set(1)
        self.promoted.labels(task).set(manifest.promoted / 1000)
        if manifest.training_seconds is not None:
            self.training_seconds.labels(task).set(manifest.training_seconds)
        for name, metric in manifest.holdout.metrics.items():
            self.offline.labels(task, name).set(metric.value)

    def count(self, model: Model, predictions: list[Prediction]) -> None:
        """Count the predictions of one request, by class if the target has classes."""
        if model.manifest.target.classes:
            self._count_classes(model, predictions)
        else:
            self._count_values(model, predictions)

    def _count_values(self, model: Model, predictions: list[Prediction]) -> None:
        task = model.manifest.task
        values = [prediction["prediction"] for prediction in predictions]
        counter = self.predictions_of(task, str(model.manifest.version), "value")
        counter.inc(len(values))
        bounds = model.manifest.reference.predictions["value"].edges
        self.values.observe((task,), bounds, values)

    def _count_classes(self, model: Model, predictions: list[Prediction]) -> None:
        task = model.manifest.task
        confidences: dict[str, list[float]] = {}
        for prediction in predictions:
            name = prediction["prediction"]
            confidences.setdefault(name, []).append(prediction["confidence"])
        for name, values in confidences.items():
            counter = self.predictions_of(task, str(model.manifest.version), name)
            counter.inc(len(values))
            self.confidence.observe((task, name), SHARES, values)
