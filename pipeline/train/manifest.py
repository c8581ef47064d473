"""The manifest of a trained model, beside its ONNX file: all that serving needs."""

from typing import Any, TypeVar

import numpy as np
import pandas as pd
from pydantic import BaseModel, TypeAdapter

from core.distributions import Distribution
from core.manifest import (
    CrossValidation,
    DataSource,
    Golden,
    Holdout,
    MetricValue,
    Reference,
    Slice,
    TrainedManifest,
)
from core.onnx_model import OnnxModel
from pipeline.data.fetch import Dataset
from pipeline.schema import Feature, Kind, Task
from pipeline.train import evaluate, export
from pipeline.train.candidates import Candidate, Failure
from pipeline.train.estimators import BASELINE
from pipeline.train.training_data import TrainingData

FORMAT = 1
# The fields of a task that its manifest has too.
OF_TASK = {"title", "description", "kind", "limits", "target", "metric", "tolerance"}
SLICE_ROWS = 20
WORST_SLICES = 5
QUANTILES = 4
Part = TypeVar("Part", bound=BaseModel)


def fill(
    data: TrainingData,
    candidate: Candidate,
    candidates: list[Candidate | Failure],
    dataset: Dataset,
) -> TrainedManifest:
    """Return the manifest of the best candidate; promotion adds version and commit.

    Args:
        data: the data and settings.
        candidate: the best candidate.
        candidates: all candidates, among them the baseline.
        dataset: the whole table with its digest.
    """
    model = OnnxModel(candidate.onnx)
    prediction = model.predict(data.holdout)
    content = _of_task(data.task, data.features) | {
        "format": FORMAT,
        "algorithm": candidate.algorithm,
        "parameters": candidate.parameters,
        "sha256": model.sha256,
        "size": model.size,
        "opset": export.OPSET[""],
        "parity": candidate.parity.model_dump(),
        "data": DataSource(
            rows=len(dataset.table),
            digest=dataset.digest,
            source=data.task.homepage,
            licence=data.task.licence,
        ),
        "holdout": _short(_holdout(data, prediction)),
        "cross_validation": _short(
            CrossValidation(folds=data.folds, metrics=candidate.cross_validation)
        ),
        "baseline": _baseline(candidates),
        "golden": _short(_golden(data, model)),
        "reference": _short(_reference(data, prediction)),
        "slices": [_short(part) for part in _slices(data, prediction)],
    }
    return TrainedManifest.model_validate(content)


def _of_task(task: Task, features: list[Feature]) -> dict[str, Any]:
    """Return what the manifest takes over from the task."""
    content: dict[str, Any] = TypeAdapter(Task).dump_python(
        task, mode="json", include=OF_TASK
    )
    content["task"] = task.name
    content["features"] = [describe(feature) for feature in features]
    return content


def describe(feature: Feature) -> dict[str, Any]:
    """Return a feature as the manifest has it."""
    content: dict[str, Any] = TypeAdapter(Feature).dump_python(feature, mode="json")
    content["type"] = feature.type
    return content


def _holdout(data: TrainingData, prediction: np.ndarray) -> Holdout:
    """Return the metrics on the hold-out with their intervals."""
    task, truth = data.task, data.truth
    metrics = {}
    for name, value in evaluate.metrics(task, truth, prediction).items():
        scorer = evaluate.scorer(task, name, truth, prediction)
        low, high = evaluate.interval(scorer, len(prediction), data.seed)
        metrics[name] = MetricValue(value=value, low=low, high=high)
    return Holdout(rows=len(data.holdout), metrics=metrics)


def _baseline(candidates: list[Candidate | Failure]) -> dict[str, float] | None:
    """Return the baseline's metrics on the hold-out, if it was trained."""
    for candidate in candidates:
        if isinstance(candidate, Candidate) and candidate.algorithm == BASELINE:
            metrics = candidate.holdout.items()
            return {name: _six_digits(value) for name, value in metrics}
    return None


def _golden(data: TrainingData, model: OnnxModel) -> Golden:
    """Return the features' examples as a request, and the model's answer."""
    request = {feature.name: feature.example for feature in data.features}
    answer = model.predict(pd.DataFrame([request]))[0]
    return Golden(request=request, answer=answer.tolist())


def _reference(data: TrainingData, prediction: np.ndarray) -> Reference:
    """Return the distributions of the training rows and of the predictions."""
    features = {}
    for feature in data.features:
        values = data.train[feature.name]
        features[feature.name] = distribution(values, feature.categories)
    return Reference(
        rows=len(data.train),
        features=features,
        predictions=_predictions(data.task, prediction),
    )


def distribution(
    values: "pd.Series[Any]", categories: tuple[str, ...] = ()
) -> Distribution:
    """Return the distribution of a column: of its categories if there are any."""
    if categories:
        return Distribution.of_categories(values, categories)
    return Distribution.of_numbers(values.to_numpy())


def _predictions(task: Task, prediction: np.ndarray) -> dict[str, Distribution]:
    """Return the distributions of the predictions.

    Of a classification they are those of the winning class and of the last class's
    probability.
    """
    if task.kind is Kind.REGRESSION:
        return {"value": Distribution.of_numbers(prediction)}
    classes = task.target.classes
    winners = [classes[place] for place in prediction.argmax(axis=1)]
    return {
        "class": Distribution.of_categories(winners, classes),
        "probability": Distribution.of_numbers(prediction[:, -1]),
    }


def _slices(data: TrainingData, prediction: np.ndarray) -> list[Slice]:
    """Return the parts of the hold-out, by one feature each, with the worst metric.

    The parts are a feature's categories, or the quarters between its quartiles.
    """
    metric = data.task.metric
    score = evaluate.scorer(data.task, metric.name, data.truth, prediction)
    parts: list[tuple[float, Slice]] = []
    for feature in data.features:
        values = data.holdout[feature.name].reset_index(drop=True)
        groups = values
        if not feature.categories:
            groups = pd.qcut(values, QUANTILES, duplicates="drop")
        for name, rows in values.groupby(groups, observed=True).indices.items():
            value = score(np.asarray(rows))
            # The metric has no value where only one class occurs.
            if len(rows) >= SLICE_ROWS and np.isfinite(value):
                fields: dict[str, Any] = {
                    "feature": feature.name,
                    "part": str(name),
                    "rows": len(rows),
                    metric.name: value,
                }
                parts.append((value, Slice(**fields)))
    parts.sort(key=lambda part: (part[0], part[1].feature, part[1].part))
    if not metric.higher_is_better:
        parts.reverse()
    return [part for _, part in parts[:WORST_SLICES]]


def _short(part: Part) -> Part:
    """Return a part of the manifest with its numbers rounded to 6 significant digits."""
    content = _rounded(part.model_dump(exclude_unset=True))
    return type(part).model_validate(content)


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _rounded(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_rounded(entry) for entry in value]
    return _six_digits(value) if isinstance(value, float) else value


def _six_digits(value: float) -> float:
    return float(f"{value:.6g}")
