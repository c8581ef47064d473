"""The types of a task's requests and answers, by the names that they have in
`/openapi.json`.

No two are alike, whatever the tasks are called: no ending of a name is the end of
another ending.
"""

from typing import Any, Literal

from pydantic import BaseModel, Field, create_model

from app.openapi.named_types import named
from app.routes.explain import MAX_EXPLAINED
from app.serving.model import Model
from app.serving.validation import MAX_RECORDS
from app.serving.validation import request_types as request_record_types
from app.serving.validation import type_name


class PredictionInterval(BaseModel):
    """The bounds between which the true value lies in `level` percent of cases."""

    level: int
    low: float
    high: float


# What every answer says of itself.
IDENTITY: dict[str, Any] = {
    "task": str,
    "model_version": int,
    "run_id": str,
    "request_id": str,
}


def request_types(verb: str, model: Model) -> tuple[Any, Any, Any]:
    """Return what may be sent at once: a record, a list of records or a table."""
    name = type_name(model.manifest.task)
    most, ending = (
        (MAX_RECORDS, "") if verb == "predict" else (MAX_EXPLAINED, "ToExplain")
    )
    record, records, table = request_record_types(
        model.manifest, most, f"{name}Table{ending}"
    )
    return record, named(f"{name}Records{ending}", records), table


def answer_types(verb: str, model: Model) -> tuple[Any, Any]:
    """Return the answer to one record, and the one to several."""
    if verb == "explain":
        return EXPLANATIONS
    return _prediction_types(model)


def _prediction_types(model: Model) -> tuple[Any, Any]:
    name = type_name(model.manifest.task)
    # By it a client knows which task's answer it has got where the path does not name
    # the task.
    identity = IDENTITY | {"task": Literal[model.manifest.task]}
    one: dict[str, Any] = {
        "prediction": (float, Field(description="The predicted value."))
    }
    if model.manifest.target.classes:
        one["prediction"] = (str, Field(description="The most probable class."))
        one["probabilities"] = dict[str, float]
        one["confidence"] = (
            float,
            Field(description="Probability of the predicted class."),
        )
    else:
        identity["unit"] = str
        one["interval"] = (
            PredictionInterval,
            Field(default_factory=_none, description="If the request asks for it."),
        )
    single = create_model(f"{name}Prediction", **identity, **one)
    row = create_model(f"{name}PredictionRow", **one)
    several = create_model(f"{name}Predictions", **identity, predictions=list[row])
    return single, several


def _none() -> None:
    """Return the default of a field that is left out, and not null, without a value."""


def _explanation_types() -> tuple[Any, Any]:
    one: dict[str, Any] = {
        "output": (str, Field(description="The target, or the predicted class.")),
        "base_value": (
            float,
            Field(description="The mean prediction of the reference sample."),
        ),
        "values": (
            dict[str, float],
            Field(description="What each feature added to it."),
        ),
        "sum": (float, Field(description="base_value and all values together.")),
        "prediction": (float, Field(description="The model's output.")),
    }
    single = create_model("Explanation", **IDENTITY, **one)
    row = create_model("ExplanationRow", **one)
    several = create_model("Explanations", **IDENTITY, explanations=list[row])
    return single, several


EXPLANATIONS = _explanation_types()  # the same for all tasks
