"""Small real tables that fit a task, models that are fitted on them, whole bundles.

No data set is needed: the rows are drawn from the features' ranges, and the target
follows them.
"""

from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from core.distributions import Distribution
from core.manifest import Reference, TrainedManifest
from core.onnx_model import OnnxModel
from history.registry import Check
from pipeline import bundle as bundles
from pipeline import tasks
from pipeline.bundle import Bundle, Challenger, TaskResult
from pipeline.data import table as tables
from pipeline.schema import Feature, Kind, Task
from pipeline.train import estimators, evaluate, export
from pipeline.train.manifest import describe, distribution
from tests.support.run_factories import STARTED, run, write_run

# A params.yaml that trains in seconds, on data that scikit-learn brings along.
PARAMS = """\
seed: 1
holdout_share: 0.2
tasks:
  iris:
    folds: 3
    candidates:
      dummy: {}
      logistic_regression: {C: %s}
"""


def rows(task: Task, count: int, seed: int = 0, noise: float = 0.2) -> pd.DataFrame:
    """Return a table that the task accepts; the target follows the features, with some
    noise.
    """
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
    signal += generator.normal(0, noise, count)
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
    # The generated classes are apart by a plane: little is to be smoothed.
    parameters = {"C": 1000.0} | parameters if algorithm != "ridge" else parameters
    pipeline = estimators.build(task.kind, algorithm, parameters, features, seed=0)
    with threadpool_limits(
        limits=1
    ):  # as in a training; the tests' workers share the cores
        pipeline.fit(
            estimators.as_inputs(features, table), evaluate.encode(task, table)
        )
    return pipeline, export.to_onnx(task, features, pipeline)


@cache
def _learnt(name: str, noise: float, seed: int) -> tuple[Any, bytes]:
    """Return a model of 300 rows: many tests begin with the same one."""
    task = tasks.load(name)
    return fitted(task, rows(task, 300, seed=seed, noise=noise))


@cache
def _holdout(name: str) -> pd.DataFrame:
    return rows(tasks.load(name), 300, seed=10**6, noise=0.01)


def challenger(
    task: Task, model: OnnxModel, holdout: pd.DataFrame, fit: Any, **update: Any
) -> Challenger:
    """Return the evidence for a model, measured on a hold-out."""
    truth = evaluate.encode(task, holdout)
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


def bundle(
    folder: Path, commit: str, noises: dict[str, float], seed: int = 0
) -> Bundle:
    """Write a bundle as a training would: a parent run, and one candidate that is the
    challenger.

    Args:
        noises: by task, how noisy the rows are that its model learns from; more is
            worse.
    """
    results = {
        name: _result(folder, name, noise, seed) for name, noise in noises.items()
    }
    made = Bundle(format=1, commit=commit, dirty=[], created=STARTED, tasks=results)
    bundles.write(folder, made)
    return made


def _result(folder: Path, name: str, noise: float, seed: int) -> TaskResult:
    task = tasks.load(name)
    holdout = _holdout(name)
    fit, content = _learnt(name, noise, seed)
    parent, child, model_id = uuid4().hex, uuid4().hex, f"m-{uuid4().hex}"
    update = {"run_id": child, "model_id": model_id, "behaviours": []}
    evidence = challenger(task, OnnxModel(content), holdout, fit, **update)
    tables.write(folder / "holdout" / f"{name}.csv.gz", holdout)
    metrics = {f"holdout_{key}": value for key, value in evidence.holdout.items()}
    metrics |= {f"cv_{task.metric.name}_{part}": 0.5 for part in ("mean", "std")}
    metrics |= {"rows_train": 300, "rows_holdout": 300}
    params = {"challenger": evidence.algorithm}
    started = STARTED + seed * 60_000
    about = {"data.origin": f"data/{name}.csv.gz", "digest.data": "d" * 64}
    whole = run(parent, name, None, params, metrics, started=started)
    write_run(folder, whole.model_copy(update={"tags": whole.tags | about}), {})
    files = {
        "model.onnx": content,
        "manifest.json": manifest(task, evidence, content).encode(),
    }
    params = {"algorithm": evidence.algorithm, "noise": str(noise)}
    made = run(child, name, parent, params, metrics, model_id, files, started)
    write_run(folder, made, files)
    return TaskResult(
        parent_run=parent,
        run_ids=[parent, child],
        data_digest="d" * 64,
        challenger=evidence,
    )


def manifest(task: Task, evidence: Challenger, model: bytes) -> str:
    """Return a manifest with what the card and the API need of it."""
    golden = {feature.name: feature.example for feature in task.features}
    answer = OnnxModel(model).predict(pd.DataFrame([golden]))[0].tolist()
    measured = {
        name: {"value": value, "low": value, "high": value}
        for name, value in evidence.holdout.items()
    }
    folds = {f"{name}_mean": 0.5 for name in measured} | {
        f"{task.metric.name}_std": 0.1
    }
    content = {
        "format": 1,
        "task": task.name,
        "title": task.title,
        "description": task.description,
        "kind": task.kind.value,
        "sha256": evidence.sha256,
        "size": evidence.size,
        "tolerance": task.tolerance,
        "golden": {"request": golden, "answer": answer},
        "reference": _reference(task.name),
        "algorithm": evidence.algorithm,
        "limits": list(task.limits),
        "features": [describe(feature) for feature in task.features],
        "target": asdict(task.target),
        "metric": asdict(task.metric),
        "holdout": {"rows": 300, "metrics": measured},
        "cross_validation": {"folds": 2, "metrics": folds},
        "baseline": None,
        "data": {
            "rows": 300,
            "digest": "d" * 64,
            "source": "factories",
            "licence": "MIT",
        },
        "slices": [],
    }
    return TrainedManifest.model_validate(content).render()


@cache
def _reference(name: str) -> Reference:
    task = tasks.load(name)
    table = rows(task, 300, seed=0)
    features = {
        f.name: distribution(table[f.name], f.categories) for f in task.features
    }
    target = distribution(table[task.target.name], task.target.classes)
    predictions = {"value": target}
    if task.target.classes:
        predictions = {
            "class": target,
            "probability": Distribution(edges=[0.5], shares=[0.5, 0.5]),
        }
    return Reference(rows=300, features=features, predictions=predictions)
