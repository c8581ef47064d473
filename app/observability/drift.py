"""Measures drift and online metrics now and then, for the metrics."""

from app.dependencies import Services
from app.observability.metrics import Metrics
from app.observability.prediction_log import Row
from app.routes import drift, quality
from app.routes.drift import Drift
from app.routes.quality import Quality
from core.distributions import MOST


def update_metrics(services: Services) -> None:
    """Measure drift and online metrics of every model in service, and export them."""
    for model in services.models.served().values():
        rows = services.predictions.newest(model, 2 * MOST)
        export_drift(services.metrics, drift.measure(model, rows), rows[:MOST])
        export_quality(services.metrics, quality.measure(model, services.predictions))


def export_quality(metrics: Metrics, result: Quality) -> None:
    """Set the gauges of a task's online metrics."""
    metrics.feedback.labels(result.task).set(result.rows)
    for name, value in result.live.items():
        metrics.live.labels(result.task, name).set(value)


def export_drift(metrics: Metrics, result: Drift, newest: list[Row]) -> None:
    """Set the gauges of a task's drift."""
    task = result.task
    metrics.window_rows.labels(task).set(len(newest))
    if newest:
        metrics.window_start.labels(task).set(newest[-1].time)
        metrics.window_timestamp.labels(task).set(newest[0].time)
    for parts, index, threshold in (
        (result.features, metrics.feature_psi, metrics.feature_threshold),
        (result.predictions, metrics.prediction_psi, metrics.prediction_threshold),
    ):
        for name, part in parts.items():
            if part.psi is not None:
                index.labels(task, name).set(part.psi)
            if part.threshold is not None:
                threshold.labels(task, name).set(part.threshold)
    if result.verdict in ("drift", "no drift"):
        metrics.drifted.labels(task).set(result.verdict == "drift")
