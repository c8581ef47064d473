"""The intervals of predictions, for requests that ask for them: `?interval=90`."""

from urllib.parse import parse_qs

import numpy as np

from app.errors import ApiError, Fault
from app.serving.model import Model, Prediction
from core.intervals import Range
from core.manifest import Manifest

PARAMETER = "interval"


def requested_level(query: bytes, model: Model) -> int | None:
    """Return the level that a query asks for, in percent; None if it asks for none.

    Raises:
        ApiError: 422 if the model has no intervals, or not of this level.
    """
    if not query:
        return None
    parameters = parse_qs(query.decode("latin-1"), keep_blank_values=True)
    if PARAMETER not in parameters:
        return None
    manifest = model.manifest
    if manifest.intervals is None:
        raise _refusal(_why_none(manifest))
    for measured in manifest.intervals.levels:
        if parameters[PARAMETER] == [str(measured.level)]:
            return measured.level
    levels = [str(measured.level) for measured in manifest.intervals.levels]
    raise _refusal(
        f"{manifest.task} has intervals of {', '.join(levels)} percent: name one of"
        " these numbers."
    )


def add_intervals(
    model: Model, level: int, predictions: list[Prediction]
) -> list[Prediction]:
    """Return predictions with their intervals of a level that the model has."""
    intervals = model.manifest.intervals
    assert intervals
    target = model.manifest.target
    values = [prediction["prediction"] for prediction in predictions]
    bounds = intervals.bounds(level, values, Range(target.low, target.high))
    # With as many digits as the predictions.
    pairs = bounds.astype(np.float32)
    extended = []
    for prediction, (low, high) in zip(predictions, pairs, strict=True):
        interval = {"level": level, "low": low, "high": high}
        extended.append(prediction | {"interval": interval})
    return extended


def _why_none(manifest: Manifest) -> str:
    """Return in a sentence why a model has no intervals, and what to do."""
    task = manifest.task
    if manifest.kind == "classification":
        return (
            f"{task} predicts a class, and its answer has the probability of each class"
            f" but no interval: leave out `{PARAMETER}`."
        )
    return (
        f"version {manifest.version} of {task} has no prediction intervals, because it"
        f" was trained before models had them: leave out `{PARAMETER}`, or train and"
        " publish the task again."
    )


def _refusal(sentence: str) -> ApiError:
    fault = Fault(detail=sentence, parameter=PARAMETER)
    return ApiError(422, f"{PARAMETER}: {sentence}", [fault])
