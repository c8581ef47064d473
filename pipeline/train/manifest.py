"""`manifest.json`: all that serving needs to know about a model, beside its ONNX file."""

from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd
from pydantic import TypeAdapter

from core.files import to_json
from pipeline.data.fetch import Dataset
from pipeline.schema import Kind, Task
from pipeline.train import evaluate, export
from pipeline.train.candidates import Candidate, Failure, Study
from pipeline.train.estimators import BASELINE
from pipeline.train.predict import OnnxModel

FORMAT = 1
OF_TASK = {"title", "description", "kind", "limits", "target", "metric", "tolerance"}
SLICE_ROWS = 20
WORST_SLICES = 5


def render(
    study: Study,
    candidate: Candidate,
    candidates: list[Candidate | Failure],
    fetched: Dataset,
) -> str:
    """Return the manifest's text; `publish` adds version, ids, commit and time."""
    task, model = study.task, OnnxModel(candidate.onnx)
    prediction = model.predict(study.holdout)
    example = {feature.name: feature.example for feature in study.features}
    answer = model.predict(pd.DataFrame([example]))[0]
    baseline = [
        c for c in candidates if isinstance(c, Candidate) and c.algorithm == BASELINE
    ]
    described = TypeAdapter(Task).dump_python(task, mode="json", include=OF_TASK) | {
        "format": FORMAT,
        "task": task.name,
        "features": [
            asdict(feature) | {"type": feature.type} for feature in study.features
        ],
        "algorithm": candidate.algorithm,
        "parameters": candidate.parameters,
        "sha256": model.sha256,
        "size": model.size,
        "opset": export.OPSET[""],
        "parity": candidate.parity.model_dump(),
        "data": {
            "rows": len(fetched.table),
            "digest": fetched.digest,
            "source": task.homepage,
            "licence": task.licence,
        },
    }
    measured = {
        "holdout": {
            "rows": len(study.holdout),
            "metrics": _with_intervals(study, prediction),
        },
        "cross_validation": {
            "folds": study.folds,
            "metrics": candidate.cross_validation,
        },
        "baseline": baseline[0].holdout if baseline else None,
        "golden": {"request": example, "answer": answer.tolist()},
        "reference": {
            "rows": len(study.train),
            "features": {
                f.name: distribution(study.train[f.name], f.categories)
                for f in study.features
            },
            "predictions": _predictions(study, prediction),
        },
        "slices": _slices(study, prediction),
    }
    return to_json(described | _short(measured))


def _with_intervals(
    study: Study, prediction: np.ndarray
) -> dict[str, dict[str, float]]:
    found = {}
    for name, value in evaluate.metrics(study.task, study.truth, prediction).items():
        scorer = evaluate.scorer(study.task, name, study.truth, prediction)
        low, high = evaluate.interval(scorer, len(prediction), study.seed)
        found[name] = {"value": value, "low": low, "high": high}
    return found


def distribution(values: pd.Series, categories: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return how often each category occurs, or the share of values between the
    deciles.

    Numbers: `edges` are the inner deciles, rising, without repeats; `shares` has one
    entry more, for the values up to the first edge, from there up to the second, …,
    above the last.
    """
    if categories:
        shares = values.value_counts(normalize=True).reindex(list(categories)).fillna(0)
        return {"categories": list(categories), "shares": shares.tolist()}
    edges = np.unique(_short(np.quantile(values, np.linspace(0.1, 0.9, 9)).tolist()))
    counts = np.bincount(
        np.searchsorted(edges, values, side="left"), minlength=len(edges) + 1
    )
    return {"edges": edges.tolist(), "shares": (counts / len(values)).tolist()}


def _predictions(study: Study, prediction: np.ndarray) -> dict[str, Any]:
    """Return the distribution of values; for classes, of the winner and the last's
    probability.
    """
    if study.task.kind is Kind.REGRESSION:
        return {"value": distribution(pd.Series(prediction))}
    classes = study.task.target.classes
    named = pd.Series(prediction.argmax(axis=1)).map(dict(enumerate(classes)))
    return {
        "class": distribution(named, classes),
        "probability": distribution(pd.Series(prediction[:, -1])),
    }


def _slices(study: Study, prediction: np.ndarray) -> list[dict[str, Any]]:
    """Return the parts of the hold-out, by one feature each, where the model is worst."""
    task, metric, found = study.task, study.task.metric.name, []
    score = evaluate.scorer(task, metric, study.truth, prediction)
    for feature in study.features:
        values = study.holdout[feature.name].reset_index(drop=True)
        parts = values if feature.categories else pd.qcut(values, 4, duplicates="drop")
        for part, rows in values.groupby(parts, observed=True).indices.items():
            value = score(np.asarray(rows))
            # The metric has no value where only one class occurs.
            if len(rows) >= SLICE_ROWS and np.isfinite(value):
                where = {"feature": feature.name, "part": str(part), "rows": len(rows)}
                found.append(where | {metric: value})
    found.sort(key=lambda part: (part[metric], part["feature"], part["part"]))
    return (
        found[:WORST_SLICES]
        if task.metric.higher_is_better
        else found[: -WORST_SLICES - 1 : -1]
    )


def _short(value: Any) -> Any:
    """Return numbers with 6 digits, in lists and dictionaries too."""
    if isinstance(value, dict):
        return {key: _short(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_short(entry) for entry in value]
    return float(f"{value:.6g}") if isinstance(value, float) else value
