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
    for task, model in models.served().items():
        rows = predictions.newest(model, MAX_ROWS)
        _export_window(metrics, task, rows[:MOST])
        drift = measure_drift(model, rows)
        _export_drift(metrics, drift)
        quality = measure_quality(model, predictions)
        _export_quality(metrics, quality)


def _export_window(metrics: Metrics, task: str, rows: list[Row]) -> None:
    """Set the gauges of a task's newest predictions, the newest first."""
    metrics.window_rows.labels(task).set(len(rows))
    if not rows:
        return
    newest = rows[0]
    oldest = rows[-1]
    metrics.window_start.labels(task).set(oldest.time)
    metrics.window_timestamp.labels(task).set(newest.time)


def _export_drift(metrics: Metrics, drift: Drift) -> None:
    """Set the gauges of a task's drift."""
    task = drift.task
    for name, part in drift.features.items():
        _set(metrics.feature_psi, task, name, part.psi)
        _set(metrics.feature_threshold, task, name, part.threshold)
    for name, part in drift.predictions.items():
        _set(metrics.prediction_psi, task, name, part.psi)
        _set(metrics.prediction_threshold, task, name, part.threshold)
    match drift.verdict:
        case "drift":
            metrics.drifted.labels(task).set(1)
        case "no drift":
            metrics.drifted.labels(task).set(0)


def _export_quality(metrics: Metrics, quality: Quality) -> None:
    """Set the gauges of a task's online metrics."""
    task = quality.task
    metrics.feedback.labels(task).set(quality.rows)
    for name, value in quality.live.items():
        metrics.live.labels(task, name).set(value)


def _set(gauge: Gauge, task: str, name: str, value: float | None) -> None:
    """Set a gauge of a feature or a part of the predictions, if it has a value."""
    if value is not None:
        gauge.labels(task, name).set(value)
