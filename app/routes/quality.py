"""`GET /quality/{task}`: online metrics, computed once the ground truth is known."""

from typing import Any

import numpy as np
from fastapi import APIRouter
from pydantic import Field

from app.dependencies import ServicesDep
from app.observability.prediction_log import PredictionLog, Row
from app.routes.feedback import FeedbackCount
from app.serving.model import Model
from core.evaluation_metrics import CLASSIFICATION, REGRESSION

MAX_ROWS = 1000

router = APIRouter(tags=["models"])


class Quality(FeedbackCount):
    """A model's metrics on new rows, beside those on the hold-out."""

    rows: int = Field(
        description="Predictions with a ground truth, the newest 1,000 at most."
    )
    live: dict[str, float] = Field(
        description="The metrics that are defined on these rows."
    )
    offline: dict[str, float] = Field(description="The metrics on the hold-out.")


@router.get("/quality/{task}", operation_id="get_quality", summary="Get online metrics")
def get_quality(task: str, services: ServicesDep) -> Quality:
    """Return the metrics of the model in service on predictions with ground truth."""
    return measure(services.models.get(task), services.predictions)


def measure(model: Model, log: PredictionLog) -> Quality:
    """Compute a model's metrics on the newest predictions with a ground truth."""
    manifest = model.manifest
    rows = log.newest(model, MAX_ROWS, known=True)
    offline = {name: metric.value for name, metric in manifest.holdout.metrics.items()}
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
    truth: Any
    if classes:
        truth = np.array([classes.index(row.truth) for row in rows])
        prediction = np.array([_probabilities(row, classes) for row in rows])
        functions = CLASSIFICATION
    else:
        truth = np.array([row.truth for row in rows])
        prediction = np.array([row.prediction["prediction"] for row in rows])
        functions = REGRESSION
    with np.errstate(all="ignore"):
        values = {name: float(functions[name](truth, prediction)) for name in names}
    return {name: value for name, value in values.items() if np.isfinite(value)}


def _probabilities(row: Row, classes: list[str]) -> list[float]:
    probabilities = row.prediction["probabilities"]
    return [probabilities[name] for name in classes]
