"""Online metrics: how good predictions were, computed from their ground truth."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field

from app.observability.prediction_log import PredictionLog, Row
from app.serving.model import Model
from core.evaluation_metrics import CLASSIFICATION, REGRESSION

MAX_ROWS = 1000


class Quality(BaseModel):
    """A model's metrics on new rows, beside those on the hold-out."""

    task: str
    model_version: int
    rows: int = Field(
        description="Predictions with a ground truth, the newest 1,000 at most."
    )
    live: dict[str, float] = Field(
        description="The metrics that are defined on these rows."
    )
    offline: dict[str, float] = Field(description="The metrics on the hold-out.")


def measure_quality(model: Model, log: PredictionLog) -> Quality:
    """Compute a model's metrics on the newest predictions with a ground truth."""
    manifest = model.manifest
    rows = log.newest(model, MAX_ROWS, with_truth=True)
    offline = manifest.metric_values()
    return Quality(
        task=manifest.task,
        model_version=manifest.version,
        rows=len(rows),
        live=_metrics(rows, manifest.target.classes, list(offline)),
        offline=offline,
    )


def _metrics(rows: list[Row], classes: list[str], names: list[str]) -> dict[str, float]:
    """Return those of the named metrics that are defined on these rows."""
    if not rows:
        return {}
    functions = CLASSIFICATION if classes else REGRESSION
    truth = _truth(rows, classes)
    prediction = _prediction(rows, classes)
    values = {}
    with np.errstate(all="ignore"):
        for name in names:
            value = float(functions[name](truth, prediction))
            if np.isfinite(value):
                values[name] = value
    return values


def _truth(rows: list[Row], classes: list[str]) -> NDArray[Any]:
    """Return the ground truth, shape (rows,): values, or the numbers of the classes."""
    if classes:
        return np.array([classes.index(row.truth) for row in rows])
    return np.array([row.truth for row in rows])


def _prediction(rows: list[Row], classes: list[str]) -> NDArray[Any]:
    """Return values, shape (rows,), or probabilities, shape (rows, classes)."""
    if classes:
        return np.array([_probabilities(row, classes) for row in rows])
    return np.array([row.prediction["prediction"] for row in rows])


def _probabilities(row: Row, classes: list[str]) -> list[float]:
    probabilities = row.prediction["probabilities"]
    return [probabilities[name] for name in classes]
