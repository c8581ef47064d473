"""`pipeline export`: make a run's model again and write it as a file into `models/`."""

import json
import math
import platform
from importlib.metadata import version
from io import BytesIO
from pathlib import Path
from typing import Any, Literal, NamedTuple

import joblib
import pandas as pd
from sklearn.pipeline import Pipeline
from threadpoolctl import threadpool_limits

from core.errors import PipelineError, UsageError
from core.file_names import MODEL
from core.files import sha256_bytes, to_json, write_atomic
from core.onnx_model import OnnxModel
from history import layout, registry
from history.runfile import Run
from pipeline import tasks
from pipeline.data import fetch as data
from pipeline.data import table as tables
from pipeline.repo import Repo
from pipeline.schema import Task
from pipeline.train import estimators, evaluate
from pipeline.train import export as onnx
from pipeline.train import past_run
from pipeline.train.past_run import PastRun

Format = Literal["onnx", "joblib"]
# How far the metrics of two machines may differ.
TOLERANCE = 1e-5
WARNING = (
    "Opening a joblib file runs whatever code is in it: open one that you have made"
    " yourself, with the same version of scikit-learn. The .onnx file runs none."
)


class Remade(NamedTuple):
    """Where a model was written, its run, and what it was found equal to."""

    path: Path
    run: Run
    compared: str


class _Rows(NamedTuple):
    """The rows that the run was trained on, and those held out."""

    train: pd.DataFrame
    holdout: pd.DataFrame


def export(repo: Repo, name: str, algorithm: str | None, form: Format) -> Remade:
    """Fit a run's model again, compare it, and write it with its metadata.

    It is fitted on the rows and with the parameters of its run. Nothing is written
    unless it predicts as the run's ONNX file does on every row of the hold-out; where
    that file is not kept, its metrics on the hold-out must be those of the run.

    Args:
        repo: the checkout.
        name: the task.
        algorithm: the algorithm, whose best run is taken; None means the champion.
        form: the kind of file.

    Raises:
        UsageError: the task or the algorithm is unknown or has no run, or there is a
            model of another task under the same name.
        PipelineError: the data are not those of the run, or the model differs.
    """
    task = tasks.load(name)
    past = past_run.find(repo, task, algorithm)
    stem = f"{past.algorithm}_best_model"
    target = repo.root / "models" / f"{stem}.{form}"
    metadata = target.with_name(f"{stem}_metadata.json")
    earlier = _read(metadata, name)
    rows = _rows(repo, task, past)
    fitted = _fit(task, past, rows.train)
    model = onnx.to_onnx(task, past.features(task), fitted)
    compared = _compare(task, past, fitted, OnnxModel(model), rows.holdout)
    content = model if form == "onnx" else _joblib(fitted)
    write_atomic(target, content)
    description = _metadata(repo, task, past)
    description["compared"] = compared
    description["files"] = _files(past, earlier, target, content)
    if form == "joblib":
        description["warning"] = WARNING
    write_atomic(metadata, to_json(description))
    return Remade(target, past.run, compared)


def _files(
    past: PastRun, earlier: dict[str, Any], target: Path, content: bytes
) -> dict[str, Any]:
    """Return a new file's entry, beside those of earlier exports of the same run."""
    files: dict[str, Any] = {}
    if earlier.get("run_id") == past.run.run_id:
        files |= earlier["files"]
    files[target.name] = {"size": len(content), "sha256": sha256_bytes(content)}
    return files


def _read(metadata: Path, name: str) -> dict[str, Any]:
    """Return what an earlier export of a task wrote; nothing if there was none.

    Raises:
        UsageError: it is of another task, or not a file of an export.
    """
    try:
        earlier = dict(json.loads(metadata.read_bytes()))
    except FileNotFoundError:
        return {}
    except (TypeError, ValueError) as error:
        raise UsageError(
            f"{metadata} is not what an export writes: move it away."
        ) from error
    other = earlier.get("task", name)
    if other != name:
        raise UsageError(
            f"{metadata} is of the task {other}, and models of one algorithm have one"
            " name: move it away first."
        )
    return earlier


def _rows(repo: Repo, task: Task, past: PastRun) -> _Rows:
    """Return the rows of a run.

    Raises:
        PipelineError: the data are not those of the run.
    """
    dataset = data.fetch(task, repo)
    if dataset.digest != past.data_digest:
        raise PipelineError(
            f"the data of {task.name} are not those of the run ({dataset.digest[:12]},"
            f" the run had {past.data_digest[:12]}): check out the commit"
            f" {past.commit[:12]} to make its models again."
        )
    held = tables.in_holdout(task, dataset.table, past.holdout_share)
    return _Rows(dataset.table[~held], dataset.table[held])


def _fit(task: Task, past: PastRun, train: pd.DataFrame) -> Pipeline:
    """Fit as a training does: on one thread, for the same sums on any machine."""
    features = past.features(task)
    pipeline = estimators.build(
        task.kind, past.algorithm, past.parameters, features, past.seed
    )
    inputs = estimators.as_inputs(features, train)
    with threadpool_limits(limits=1):
        pipeline.fit(inputs, evaluate.encode(task, train))
    return pipeline


def _compare(
    task: Task,
    past: PastRun,
    fitted: Pipeline,
    model: OnnxModel,
    holdout: pd.DataFrame,
) -> str:
    """Return what the model was found equal to.

    Raises:
        PipelineError: it differs.
    """
    inputs = estimators.as_inputs(past.features(task), holdout)
    for logged in past.run.models:
        path = past.folder / layout.MODELS / logged.model_id / MODEL
        if path.is_file():
            return _compare_file(task, past, fitted, model, inputs, path)
    truth = evaluate.encode(task, holdout)
    metrics = evaluate.metrics(task, truth, model.predict(inputs))
    for name, value in metrics.items():
        recorded = past.run.latest(f"holdout_{name}")
        if recorded is None or not math.isclose(
            recorded, value, rel_tol=TOLERANCE, abs_tol=TOLERANCE
        ):
            raise PipelineError(
                f"made again, the model has {name} {value:.6g} on the rows held out,"
                f" the run has {recorded}: {_versions(past)}. Nothing was written."
            )
    return f"has the run's metrics on all {len(holdout)} rows held out"


def _compare_file(
    task: Task,
    past: PastRun,
    fitted: Pipeline,
    model: OnnxModel,
    inputs: pd.DataFrame,
    path: Path,
) -> str:
    """Compare a model with the run's ONNX file; see `_compare`."""
    kept = OnnxModel(path)
    parity = onnx.parity(task, fitted, kept, inputs)
    if parity.mismatches:
        raise PipelineError(
            f"made again, the model differs from {path} on {parity.mismatches} of "
            f"{parity.rows} rows: {_versions(past)}. Nothing was written."
        )
    compared = f"predicts as the run's ONNX file on all {parity.rows} rows held out"
    if kept.sha256 == model.sha256:
        compared += ", the ONNX file byte for byte"
    return compared


def _versions(past: PastRun) -> str:
    return (
        f"the run is of commit {past.commit[:12]}, this is scikit-learn"
        f" {version('scikit-learn')}"
    )


def _joblib(fitted: Pipeline) -> bytes:
    stream = BytesIO()
    joblib.dump(fitted, stream, compress=3)
    return stream.getvalue()


def _metadata(repo: Repo, task: Task, past: PastRun) -> dict[str, Any]:
    """Return the description of a model beside its file."""
    run = past.run
    metrics = {}
    for key in run.metrics:
        if key.startswith("holdout_"):
            metrics[key] = run.latest(key)
    versions = []
    for entry in registry.versions(repo.mlruns, task.name):
        if entry.run_id == run.run_id:
            versions.append(entry.version)
    return {
        "task": task.name,
        "algorithm": past.algorithm,
        "parameters": past.parameters,
        "seed": past.seed,
        "features": [feature.name for feature in past.features(task)],
        "target": task.target.name,
        "classes": list(task.target.classes),
        "metrics": metrics,
        "run_id": run.run_id,
        "registered_versions": versions,
        "commit": past.commit,
        "data_digest": past.data_digest,
        "python": platform.python_version(),
        "scikit_learn": version("scikit-learn"),
    }
