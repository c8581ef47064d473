"""The manifest of a trained model, beside its ONNX file: all that serving needs."""

from typing import Any, TypeVar

import numpy as np
import pandas as pd
from pydantic import BaseModel, TypeAdapter

from core.distributions import Distribution
from core.intervals import PredictionIntervals
from core.manifest import DataSource, Golden, Reference, TrainedManifest
from core.manifest_metrics import CrossValidation, Holdout, MetricValue
from core.onnx_model import OnnxModel
from pipeline.data.fetch import Dataset
from pipeline.schema import Feature, Kind, Task
from pipeline.train import evaluate, export, fairness, intervals, slice_metrics
from pipeline.train.candidates import Candidate, Failure
from pipeline.train.estimators import BASELINE
from pipeline.train.slices import worst_slices
from pipeline.train.training_data import TrainingData

FORMAT = 1
# The fields of a task that its manifest has too.
OF_TASK = {"title", "description", "kind", "limits", "target", "metric", "tolerance"}
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
    cross_validation = CrossValidation(
        folds=data.folds,
        metrics=candidate.cross_validation,
    )
    slices = [_short(part) for part in worst_slices(data, prediction)]
    content = _of_task(data) | {
        "format": FORMAT,
        "algorithm": candidate.algorithm,
        "parameters": candidate.parameters,
        "sha256": model.sha256,
        "size": model.size,
        "opset": export.OPSET[""],
        "parity": candidate.parity.model_dump(),
        "data": _source(data.task, dataset),
        "holdout": _short(_holdout(data, prediction)),
        "cross_validation": _short(cross_validation),
        "baseline": _baseline(candidates),
        "golden": _short(_golden(data, model)),
        "reference": _short(_reference(data, prediction)),
        "slices": slices,
        "intervals": _intervals(data, candidate, prediction),
    }
    content |= _on_named_slices(data, prediction)
    return TrainedManifest.model_validate(content)


def _intervals(
    data: TrainingData, candidate: Candidate, prediction: np.ndarray
) -> PredictionIntervals | None:
    """Return the intervals of a regression; None for a classification."""
    calibrated = intervals.of_candidate(data, candidate, prediction)
    return _short(calibrated) if calibrated else None


def _on_named_slices(data: TrainingData, prediction: np.ndarray) -> dict[str, Any]:
    """Return what only the manifest of a task with slices has."""
    task = data.task
    content: dict[str, Any] = {}
    if task.slices:
        groups = slice_metrics.with_intervals(task, data.holdout, prediction, data.seed)
        content["groups"] = [_short(group) for group in groups]
    if task.fairness:
        figures = fairness.measure(task, data.holdout, prediction)
        content["fairness"] = [_short(one) for one in figures]
    return content


def _of_task(data: TrainingData) -> dict[str, Any]:
    """Return what the manifest takes over from the task."""
    task = data.task
    adapter = TypeAdapter(Task)
    content: dict[str, Any] = adapter.dump_python(task, mode="json", include=OF_TASK)
    content["task"] = task.name
    content["features"] = [describe(feature) for feature in data.features]
    if data.derived:
        names = [feature.name for feature in data.derived]
        content["derived"] = {name: task.derived[name] for name in names}
    return content


def _source(task: Task, dataset: Dataset) -> DataSource:
    """Return the table with its origin."""
    return DataSource(
        rows=len(dataset.table),
        digest=dataset.digest,
        source=task.homepage,
        licence=task.licence,
    )


def describe(feature: Feature) -> dict[str, Any]:
    """Return a feature as the manifest has it."""
    adapter = TypeAdapter(Feature)
    content: dict[str, Any] = adapter.dump_python(feature, mode="json")
    content["type"] = feature.type
    return content


def _holdout(data: TrainingData, prediction: np.ndarray) -> Holdout:
    """Return the metrics on the hold-out with their intervals."""
    task = data.task
    truth = data.truth
    count = len(prediction)
    values = evaluate.metrics(task, truth, prediction)
    metrics = {}
    for name, value in values.items():
        score_rows = evaluate.scorer(task, name, truth, prediction)
        low, high = evaluate.interval(score_rows, count, data.seed)
        metrics[name] = MetricValue(value=value, low=low, high=high)
    return Holdout(rows=count, metrics=metrics)


def _baseline(candidates: list[Candidate | Failure]) -> dict[str, float] | None:
    """Return the baseline's metrics on the hold-out, if it was trained."""
    for candidate in candidates:
        if candidate.algorithm != BASELINE or isinstance(candidate, Failure):
            continue
        metrics = {}
        for name, value in candidate.holdout.items():
            metrics[name] = _six_digits(value)
        return metrics
    return None


def _golden(data: TrainingData, model: OnnxModel) -> Golden:
    """Return the features' examples as a request, and the model's answer."""
    request = {feature.name: feature.example for feature in data.features}
    row = pd.DataFrame([request])
    answer = model.predict(row)[0]
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


def _short(part: Part) -> Part:
    """Return a part of the manifest with its numbers rounded to 6 significant digits."""
    content = _rounded(part.model_dump(exclude_unset=True))
    return type(part).model_validate(content)


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _rounded(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_rounded(entry) for entry in value]
    if isinstance(value, float):
        return _six_digits(value)
    return value


def _six_digits(value: float) -> float:
    return float(f"{value:.6g}")
