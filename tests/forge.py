"""Real small things to test with: tables that fit a task, models fitted on them, whole bundles.

No data set is needed: the rows are drawn from the features' ranges, and the target follows them.
"""

from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pandas as pd

from pipeline import bundle as bundles
from pipeline import tasks
from pipeline.bundle import Bundle, Challenger, TaskResult
from pipeline.data import table as tables
from pipeline.files import sha256_bytes, to_json, write_atomic
from pipeline.history import layout, runfile
from pipeline.history.registry import Check
from pipeline.history.runfile import Artifact, LoggedModel, ModelOutput, Run
from pipeline.schema import Feature, Kind, Task
from pipeline.training import estimators, evaluate, export
from pipeline.training.predict import OnnxModel

STARTED = 1_795_000_000_000


def rows(task: Task, count: int, seed: int = 0) -> pd.DataFrame:
    """Return a table that the task accepts; the target follows the features, with some noise."""
    generator = np.random.default_rng(seed)
    table: dict[str, Any] = {}
    signal = np.zeros(count)
    for place, feature in enumerate(task.features):
        if feature.categories:
            values = generator.integers(0, len(feature.categories), count)
            table[feature.name] = np.array(feature.categories, dtype=object)[values]
            share = values / max(1, len(feature.categories) - 1)
        else:
            share = generator.random(count)
            assert feature.low is not None and feature.high is not None
            raw = feature.low + share * (feature.high - feature.low)
            table[feature.name] = [float(tables.text(float(value))) for value in raw]
        signal += share * (1 if place % 2 else -0.5)
    signal += generator.normal(0, 0.2, count)
    table[task.target.name] = _target(task, signal)
    return pd.DataFrame(table)


def _target(task: Task, signal: np.ndarray) -> Any:
    rank = signal.argsort().argsort() / len(signal)
    if task.kind is Kind.CLASSIFICATION:
        classes = np.array(task.target.classes, dtype=object)
        return classes[(rank * len(classes)).astype(int)]
    low, high = task.target.low or 0.0, task.target.high or 1.0
    share = (signal - signal.min()) / (np.ptp(signal) or 1.0)
    return [float(tables.text(float(value))) for value in low + share * (high - low)]


def fitted(task: Task, table: pd.DataFrame, **parameters: Any) -> tuple[Any, bytes]:
    """Return a linear model fitted on a table, and its ONNX file."""
    algorithm = "ridge" if task.kind is Kind.REGRESSION else "logistic_regression"
    features: list[Feature] = list(task.features)
    pipeline = estimators.build(task.kind, algorithm, parameters, features, seed=0)
    truth = table[task.target.name].to_numpy()
    target = truth.astype(float) if task.kind is Kind.REGRESSION else evaluate.encode(task, truth)
    pipeline.fit(estimators.as_inputs(features, table), target)
    return pipeline, export.to_onnx(task, features, pipeline)


def challenger(
    task: Task, model: OnnxModel, holdout: pd.DataFrame, fit: Any, **update: Any
) -> Challenger:
    """Return the evidence for a model, measured on a hold-out."""
    truth = holdout[task.target.name].to_numpy()
    measured = evaluate.metrics(task, truth, model.predict(holdout))
    inputs = estimators.as_inputs(list(task.features), holdout)
    evidence = {
        "run_id": "c" * 32,
        "model_id": "m-" + "c" * 32,
        "algorithm": "ridge",
        "sha256": model.sha256,
        "size": model.size,
        "latency_ms": 0.01,
        "parity": export.parity(task, fit, model, inputs),
        "behaviours": [Check(name="claim", passed=True, detail="all rows agree")],
        "holdout": measured,
        "cross_validation": measured,
    }
    return Challenger(**(evidence | update))
