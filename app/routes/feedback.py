"""`POST /feedback`: record the ground truth of predictions that were answered."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import TypeAliasType

from app.dependencies import ServicesDep
from app.errors import ApiError
from app.serving.validation import FLOAT32_MAX, MAX_RECORDS
from core.counts import counted

Number = Annotated[float, Field(ge=-FLOAT32_MAX, le=FLOAT32_MAX, allow_inf_nan=False)]
Name = Annotated[str, Field(max_length=1000)]
TrueValue = TypeAliasType("TrueValue", Number | Name)
TrueValues = TypeAliasType(
    "TrueValues",
    Annotated[list[TrueValue], Field(min_length=1, max_length=MAX_RECORDS)],
)
Truth = TypeAliasType("Truth", Number | Name | TrueValues)

router = APIRouter(tags=["models"])


class Feedback(BaseModel):
    """Ground truth: a value for a request of one record, else a list as long as it."""

    model_config = ConfigDict(extra="forbid", strict=True)

    request_id: str = Field(pattern="^[A-Za-z0-9._-]{1,64}$")
    truth: Truth


class FeedbackCount(BaseModel):
    """The predictions that have a ground truth now."""

    task: str
    model_version: int
    rows: int


@router.post(
    "/feedback",
    operation_id="send_feedback",
    summary="Record ground truth",
    responses={404: {}},
)
def send_feedback(body: Feedback, services: ServicesDep) -> FeedbackCount:
    """Record the ground truth of a request; sending it again replaces it."""
    rows = services.predictions.request(body.request_id)
    if not rows:
        raise ApiError(
            404, f"no prediction of the request {body.request_id} is in the log."
        )
    truth = body.truth if isinstance(body.truth, list) else [body.truth]
    if len(truth) != len(rows):
        raise ApiError(
            422,
            f"body.truth: the request had {counted(len(rows), 'record')}, not"
            f" {len(truth)}.",
        )
    task = rows[0].task
    _check_values(truth, services.models.get(task).manifest.target.classes)
    services.predictions.add_truth(rows, truth)
    return FeedbackCount(task=task, model_version=rows[0].version, rows=len(rows))


def _check_values(truth: list[float | str], classes: list[str]) -> None:
    """Require classes of the target, or numbers if it has none."""
    for value in truth:
        if classes and value not in classes:
            names = ", ".join(classes)
            raise ApiError(422, f"body.truth: {value!r} is none of {names}.")
        if not classes and isinstance(value, str):
            raise ApiError(422, f"body.truth: {value!r} is not a number.")
