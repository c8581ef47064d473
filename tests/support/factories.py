"""Small real tables that fit a task, models that are fitted on them, whole bundles.

No data set is needed: the rows are drawn from the features' ranges, and the target
follows them.
"""

from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any
from uuid import uuid4

import pandas as pd

from core.distributions import Distribution
from core.manifest import Reference, TrainedManifest
from core.onnx_model import OnnxModel
from history.registry import Check
from pipeline import bundle as bundles
from pipeline import tasks
from pipeline.bundle import Bundle, Challenger, TaskResult
from pipeline.data import table as tables
from pipeline.schema import Task
from pipeline.train import estimators, evaluate, export
from pipeline.train.manifest import describe, distribution
from tests.support import manifest_groups
from tests.support.generated_rows import fitted, rows
from tests.support.run_factories import STARTED, run, write_run

ROWS = 300
DIGEST = "d" * 64
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


@cache
def _learnt(name: str, noise: float, seed: int) -> tuple[Any, bytes]:
    """Return a model of 300 rows: many tests begin with the same one."""
    task = tasks.load(name)
    table = rows(task, ROWS, seed=seed, noise=noise)
    return fitted(task, table)


@cache
def _holdout(name: str) -> pd.DataFrame:
    task = tasks.load(name)
    return rows(task, ROWS, seed=10**6, noise=0.01)


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
        "behaviours": [Check(name="behaviour", passed=True, detail="all rows agree")],
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
    results = {}
    for name, noise in noises.items():
        results[name] = _result(folder, name, noise, seed)
    written = Bundle(
        format=1,
        commit=commit,
        dirty=[],
        created=STARTED,
        tasks=results,
    )
    bundles.write(folder, written)
    return written


def _result(folder: Path, name: str, noise: float, seed: int) -> TaskResult:
    task = tasks.load(name)
    fit, content = _learnt(name, noise, seed)
    holdout = _holdout(name)
    child = uuid4().hex
    evidence = challenger(
        task,
        OnnxModel(content),
        holdout,
        fit,
        run_id=child,
        model_id=f"m-{uuid4().hex}",
        behaviours=[],
    )
    tables.write(folder / "holdout" / f"{name}.csv.gz", holdout)
    parent = _write_runs(folder, task, evidence, content, noise, seed)
    return TaskResult(
        parent_run=parent,
        run_ids=[parent, child],
        data_digest=DIGEST,
        challenger=evidence,
    )


def _write_runs(
    folder: Path,
    task: Task,
    evidence: Challenger,
    content: bytes,
    noise: float,
    seed: int,
) -> str:
    """Write the parent run and that of the challenger; return the ID of the parent."""
    name = task.name
    started = STARTED + seed * 60_000
    metrics = _run_metrics(task, evidence)
    parent = uuid4().hex
    params = {"challenger": evidence.algorithm}
    whole = run(parent, name, None, params, metrics, started=started)
    tags = {"data.origin": f"data/{name}.csv.gz", "digest.data": DIGEST}
    tagged = whole.model_copy(update={"tags": whole.tags | tags})
    write_run(folder, tagged, {})
    files = {
        "model.onnx": content,
        "manifest.json": manifest(task, evidence, content).encode(),
    }
    candidate = run(
        evidence.run_id,
        name,
        parent,
        {"algorithm": evidence.algorithm, "noise": str(noise)},
        metrics,
        evidence.model_id,
        files,
        started,
    )
    write_run(folder, candidate, files)
    return parent


def _run_metrics(task: Task, evidence: Challenger) -> dict[str, float]:
    metrics: dict[str, float] = {"rows_train": ROWS, "rows_holdout": ROWS}
    for name, value in evidence.holdout.items():
        metrics[f"holdout_{name}"] = value
    for part in ("mean", "std"):
        metrics[f"cv_{task.metric.name}_{part}"] = 0.5
    return metrics


def manifest(task: Task, evidence: Challenger, model: bytes) -> str:
    """Return a manifest with the fields that the card and the API need."""
    golden = {feature.name: feature.example for feature in task.features}
    prediction = OnnxModel(model).predict(pd.DataFrame([golden]))[0]
    measured = {}
    folds = {f"{task.metric.name}_std": 0.1}
    for name, value in evidence.holdout.items():
        measured[name] = {"value": value, "low": value, "high": value}
        folds[f"{name}_mean"] = 0.5
    content = {
        "format": 1,
        "task": task.name,
        "title": task.title,
        "description": task.description,
        "kind": task.kind.value,
        "sha256": evidence.sha256,
        "size": evidence.size,
        "tolerance": task.tolerance,
        "golden": {"request": golden, "answer": prediction.tolist()},
        "reference": _reference(task.name),
        "algorithm": evidence.algorithm,
        "limits": list(task.limits),
        "features": [describe(feature) for feature in task.features],
        "target": asdict(task.target),
        "metric": asdict(task.metric),
        "holdout": {"rows": ROWS, "metrics": measured},
        "cross_validation": {"folds": 2, "metrics": folds},
        "baseline": None,
        "data": {
            "rows": ROWS,
            "digest": DIGEST,
            "source": "factories",
            "licence": "MIT",
        },
        "slices": [],
    }
    content |= manifest_groups.of(task, evidence.holdout[task.metric.name])
    return TrainedManifest.model_validate(content).render()


@cache
def _reference(name: str) -> Reference:
    task = tasks.load(name)
    table = rows(task, ROWS, seed=0)
    features = {}
    for feature in task.features:
        column = table[feature.name]
        features[feature.name] = distribution(column, feature.categories)
    target = distribution(table[task.target.name], task.target.classes)
    predictions = {"value": target}
    if task.target.classes:
        probability = Distribution(edges=[0.5], shares=[0.5, 0.5])
        predictions = {"class": target, "probability": probability}
    return Reference(rows=ROWS, features=features, predictions=predictions)
