"""Gauges of drift and online metrics, which are measured every few minutes."""

from prometheus_client import Gauge

from app.observability.drift import MAX_ROWS, Drift, measure_drift
from app.observability.metrics import Metrics
from app.observability.prediction_log import PredictionLog, Row
from app.observability.quality import Quality, measure_quality
from app.serving.repository import ModelRepository
from core.distributions import MOST


def update(
    metrics: Metrics, models: ModelRepository, predictions: PredictionLog
) -> None:
    """Measure drift and online metrics of every model in service, and export them."""
    for model in models.served().values():
        rows = predictions.newest(model, MAX_ROWS)
        export_drift(metrics, measure_drift(model, rows), rows[:MOST])
        export_quality(metrics, measure_quality(model, predictions))


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
    for name, part in result.features.items():
        _set(metrics.feature_psi, task, name, part.psi)
        _set(metrics.feature_threshold, task, name, part.threshold)
    for name, part in result.predictions.items():
        _set(metrics.prediction_psi, task, name, part.psi)
        _set(metrics.prediction_threshold, task, name, part.threshold)
    if result.verdict in ("drift", "no drift"):
        metrics.drifted.labels(task).set(result.verdict == "drift")


def _set(gauge: Gauge, task: str, name: str, value: float | None) -> None:
    """Set a gauge of a feature or a part of the predictions, if it has a value."""
    if value is not None:
        gauge.labels(task, name).set(value)
