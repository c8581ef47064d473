"""How good the predictions were, once the true values are known."""

from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import TypeAliasType

from app.dependencies import Here
from app.errors import ApiError, Problem
from app.observability.metrics import Metrics
from app.observability.prediction_log import PredictionLog
from app.serving.model import Model
from app.serving.validation import FLOAT32_MAX, MAX_RECORDS
from core.evaluation_metrics import CLASSIFICATION, REGRESSION

MOST = 1000
router = APIRouter(tags=["models"])
Number = Annotated[float, Field(ge=-FLOAT32_MAX, le=FLOAT32_MAX, allow_inf_nan=False)]
Name = Annotated[str, Field(max_length=1000)]
TrueValue = TypeAliasType("TrueValue", Number | Name)
TrueValues = TypeAliasType(
    "TrueValues",
    Annotated[list[TrueValue], Field(min_length=1, max_length=MAX_RECORDS)],
)
Truth = TypeAliasType("Truth", Number | Name | TrueValues)


class Feedback(BaseModel):
    """What came true: a value for a request of one record, else a list as long as the
    request.
    """

    model_config = ConfigDict(extra="forbid", strict=True)

    request_id: str = Field(pattern="^[A-Za-z0-9._-]{1,64}$")
    truth: Truth


class FeedbackCount(BaseModel):
    """The predictions that have a true value now."""

    task: str
    model_version: int
    rows: int


class Quality(FeedbackCount):
    """One model on new rows, beside what it did on the hold-out."""

    rows: int = Field(
        description="Predictions with a true value, the newest 1,000 at most."
    )
    live: dict[str, float] = Field(
        description="Metrics that have a value on these rows."
    )
    offline: dict[str, float]


@router.post(
    "/feedback", operation_id="send_feedback", responses={404: {"model": Problem}}
)
def feedback(body: Feedback, services: Here) -> FeedbackCount:
    """Take the true values of a request that was answered; the last word counts."""
    found = services.predictions.request(body.request_id)
    if not found:
        raise ApiError(
            404, f"no prediction of the request {body.request_id} is in the log."
        )
    truth = body.truth if isinstance(body.truth, list) else [body.truth]
    if len(truth) != len(found):
        raise ApiError(
            422, f"body.truth: the request had {len(found)} records, not {len(truth)}."
        )
    classes = services.models.get(found[0].task).manifest.target.classes
    for value in truth:
        if classes and value not in classes:
            raise ApiError(
                422, f"body.truth: {value!r} is none of {', '.join(classes)}."
            )
        if not classes and isinstance(value, str):
            raise ApiError(422, f"body.truth: {value!r} is not a number.")
    services.predictions.add_truth(found, truth)
    return FeedbackCount(
        task=found[0].task, model_version=found[0].version, rows=len(found)
    )


@router.get("/quality/{task}", operation_id="get_quality")
def quality(task: str, services: Here) -> Quality:
    """Tell how good the model in service is on the true values that were sent."""
    return measure(services.models.get(task), services.predictions)


def measure(model: Model, log: PredictionLog) -> Quality:
    """Compute the metrics of the newest predictions that have a true value."""
    manifest, classes = model.manifest, model.manifest.target.classes
    rows = log.newest(model, MOST, known=True)
    offline = {name: found.value for name, found in manifest.holdout.metrics.items()}
    if classes:
        truth: Any = np.array([classes.index(row.truth) for row in rows])
        chances = [
            [row.prediction["probabilities"][name] for name in classes] for row in rows
        ]
        prediction, scores = np.array(chances), CLASSIFICATION
    else:
        truth = np.array([row.truth for row in rows])
        prediction, scores = (
            np.array([row.prediction["prediction"] for row in rows]),
            REGRESSION,
        )
    with np.errstate(all="ignore"):
        values = {
            name: float(scores[name](truth, prediction)) for name in offline if rows
        }
    live = {name: value for name, value in values.items() if np.isfinite(value)}
    about = {
        "task": manifest.task,
        "model_version": manifest.version,
        "rows": len(rows),
    }
    return Quality(**about, live=live, offline=offline)


def show(metrics: Metrics, found: Quality) -> None:
    """Tell the metrics."""
    metrics.feedback.labels(found.task).set(found.rows)
    for name, value in found.live.items():
        metrics.live.labels(found.task, name).set(value)
