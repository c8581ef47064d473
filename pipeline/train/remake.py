"""`pipeline export`: a model made again from its run, as a file of its own in
`models/`.
"""

import ast
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
from history import layout, registry, runfile
from history.runfile import Run
from pipeline import tasks
from pipeline.data import fetch as data
from pipeline.data import table as tables
from pipeline.params import Parameters
from pipeline.repo import Repo
from pipeline.schema import Feature, Task
from pipeline.train import estimators, evaluate
from pipeline.train import export as onnx

Format = Literal["onnx", "joblib"]
DIGITS = 1e-5  # in which the metrics of two machines may differ
TOLD = {"seed", "holdout_share", "exclude", "digest.data", "mlflow.source.git.commit"}
WARNING = (
    "Opening a joblib file runs whatever code is in it: open one that you have made"
    " yourself, with the same version of scikit-learn. The .onnx file runs none."
)


class Remade(NamedTuple):
    """Where a model was written, and what it was compared with."""

    path: Path
    run: Run
    compared: str


def export(repo: Repo, name: str, algorithm: str | None, form: Format) -> Remade:
    """Fit the champion, or the best run of an algorithm, again and write it with its
    metadata.

    It is fitted on the rows of its run with the parameters of its run. Nothing is
    written unless it predicts as its run's ONNX file does on every row of the hold-out;
    where that file is not kept, its metrics on the hold-out must be those of the run.

    Raises:
        UsageError: the task or algorithm is unknown or has no run, or a model of
            another task lies in the way.
        PipelineError: the data are not those of the run, or the model is not as it was.
    """
    task = tasks.load(name)
    found, folder = _chosen(repo, task, algorithm)
    parent = _parent(repo, found)
    stem = f"{found.params['algorithm']}_best_model"
    target = repo.root / "models" / f"{stem}.{form}"
    metadata = target.with_name(f"{stem}_metadata.json")
    if (there := _read(metadata).get("task", name)) != name:
        raise UsageError(
            f"{metadata} is of the task {there}, and models of one algorithm have one"
            " name: move it away first."
        )
    features = _features(task, parent)
    train, holdout = _rows(repo, task, parent)
    fitted = _fit(task, found, parent, features, train)
    inputs = estimators.as_inputs(features, holdout)
    content = onnx.to_onnx(task, features, fitted)
    compared = _compare(
        task, found, folder, fitted, OnnxModel(content), inputs, holdout
    )
    content = content if form == "onnx" else _joblib(fitted)
    write_atomic(target, content)
    about = _metadata(repo, task, found, parent, features) | {"compared": compared}
    described = {target.name: {"size": len(content), "sha256": sha256_bytes(content)}}
    about["files"] = _files(metadata, found) | described
    if form == "joblib":
        about["warning"] = WARNING
    write_atomic(metadata, to_json(about))
    return Remade(target, found, compared)


def _chosen(repo: Repo, task: Task, algorithm: str | None) -> tuple[Run, Path]:
    """Return the run to make again, and its folder."""
    folders = layout.run_folders(repo.mlruns)
    if algorithm is None:
        champion = registry.champion(repo.mlruns, task.name)
        if champion is None:
            raise UsageError(
                f"{task.name} has no champion yet: name an algorithm by --algorithm."
            )
        folder = folders[champion.run_id]
        return runfile.load(folder / layout.RUN_FILE), folder
    runs = (runfile.load(folder / layout.RUN_FILE) for folder in folders.values())
    judged = f"cv_{task.metric.name}_mean"
    known = [
        run for run in runs if run.experiment == task.name and run.parent in folders
    ]
    candidates = [
        run for run in known if judged in run.metrics and "algorithm" in run.params
    ]
    own = [run for run in candidates if run.params["algorithm"] == algorithm]
    if not own:
        names = (
            ", ".join(sorted({run.params["algorithm"] for run in candidates})) or "none"
        )
        raise UsageError(
            f"{task.name} has no run of {algorithm!r}; its algorithms are: {names}."
        )
    sign = 1 if task.metric.higher_is_better else -1
    best = max(
        own,
        key=lambda run: (sign * (run.latest(judged) or 0.0), run.started, run.run_id),
    )
    return best, folders[best.run_id]


def _parent(repo: Repo, run: Run) -> Run:
    """Return the run of the training that a candidate's run was part of."""
    folder = layout.run_folders(repo.mlruns).get(run.parent or "")
    parent = runfile.load(folder / layout.RUN_FILE) if folder else None
    if parent is None or not TOLD <= {*parent.params, *parent.tags}:
        raise PipelineError(
            f"the run {run.run_id} cannot be made again: it is no candidate of"
            " `pipeline train`, whose run says the seed, the data and the rows that"
            " were held out."
        )
    return parent


def _read(metadata: Path) -> dict[str, Any]:
    """Return what an earlier export wrote; nothing if there was none."""
    try:
        return dict(json.loads(metadata.read_bytes()))
    except FileNotFoundError:
        return {}
    except (TypeError, ValueError) as error:
        raise UsageError(
            f"{metadata} is not what an export writes: move it away."
        ) from error


def _files(metadata: Path, run: Run) -> dict[str, Any]:
    """Return the files that earlier exports of the same run wrote."""
    about = _read(metadata)
    return dict(about["files"]) if about.get("run_id") == run.run_id else {}


def _features(task: Task, parent: Run) -> list[Feature]:
    excluded = parent.params["exclude"].split(", ")
    return [feature for feature in task.features if feature.name not in excluded]


def _rows(repo: Repo, task: Task, parent: Run) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the rows that the run was trained on, and those that were held out."""
    fetched = data.fetch(task, repo)
    if fetched.digest != parent.tags["digest.data"]:
        raise PipelineError(
            f"the data of {task.name} are not those of the run ({fetched.digest[:12]},"
            f" the run had {parent.tags['digest.data'][:12]}): check out the commit"
            f" {parent.tags['mlflow.source.git.commit'][:12]} to make its models again."
        )
    held = tables.in_holdout(task, fetched.table, float(parent.params["holdout_share"]))
    return fetched.table[~held], fetched.table[held]


def _fit(
    task: Task, run: Run, parent: Run, features: list[Feature], train: pd.DataFrame
) -> Pipeline:
    """Fit as `candidates` does: on one thread, so that the sums are the same on any
    machine.
    """
    algorithm, seed = run.params["algorithm"], int(parent.params["seed"])
    pipeline = estimators.build(task.kind, algorithm, _parameters(run), features, seed)
    with threadpool_limits(limits=1):
        pipeline.fit(
            estimators.as_inputs(features, train), evaluate.encode(task, train)
        )
    return pipeline


def _parameters(run: Run) -> Parameters:
    """Return an estimator's parameters, which MLflow keeps as text."""
    found: dict[str, Any] = {}
    for key, text in run.params.items():
        try:
            found[key] = ast.literal_eval(text)
        except (SyntaxError, ValueError):  # a word, such as a solver's name
            found[key] = text
    del found["algorithm"]
    return found


def _compare(
    task: Task,
    run: Run,
    folder: Path,
    fitted: Pipeline,
    made: OnnxModel,
    inputs: pd.DataFrame,
    holdout: pd.DataFrame,
) -> str:
    """Return what the model was found equal to.

    Raises:
        PipelineError: it is not.
    """
    files = [folder / layout.MODELS / model.model_id / MODEL for model in run.models]
    for path in filter(Path.is_file, files):
        kept = OnnxModel(path)
        parity = onnx.parity(task, fitted, kept, inputs)
        if parity.mismatches:
            raise PipelineError(
                f"made again, the model differs from {path} on {parity.mismatches} of "
                f"{parity.rows} rows: {_versions(run)}. Nothing was written."
            )
        bytes_too = (
            ", the ONNX file byte for byte" if kept.sha256 == made.sha256 else ""
        )
        return (
            f"predicts as the run's ONNX file on all {parity.rows} rows held"
            f" out{bytes_too}"
        )
    found = evaluate.metrics(task, evaluate.encode(task, holdout), made.predict(inputs))
    for name, value in found.items():
        recorded = run.latest(f"holdout_{name}")
        if recorded is None or not math.isclose(
            recorded, value, rel_tol=DIGITS, abs_tol=DIGITS
        ):
            raise PipelineError(
                f"made again, the model has {name} {value:.6g} on the rows held out,"
                f" the run has {recorded}: {_versions(run)}. Nothing was written."
            )
    return f"has the run's metrics on all {len(holdout)} rows held out"


def _versions(run: Run) -> str:
    return (
        f"the run is of commit {run.tags['mlflow.source.git.commit'][:12]}, this is"
        f" scikit-learn {version('scikit-learn')}"
    )


def _joblib(fitted: Pipeline) -> bytes:
    stream = BytesIO()
    joblib.dump(fitted, stream, compress=3)
    return stream.getvalue()


def _metadata(
    repo: Repo, task: Task, run: Run, parent: Run, features: list[Feature]
) -> dict[str, Any]:
    """Return what is to be known of a model beside its file."""
    versions = registry.versions(repo.mlruns, task.name)
    return {
        "task": task.name,
        "algorithm": run.params["algorithm"],
        "parameters": _parameters(run),
        "seed": int(parent.params["seed"]),
        "features": [feature.name for feature in features],
        "target": task.target.name,
        "classes": list(task.target.classes),
        "metrics": {
            key: run.latest(key) for key in run.metrics if key.startswith("holdout_")
        },
        "run_id": run.run_id,
        "registered_versions": [e.version for e in versions if e.run_id == run.run_id],
        "commit": run.tags["mlflow.source.git.commit"],
        "data_digest": parent.tags["digest.data"],
        "python": platform.python_version(),
        "scikit_learn": version("scikit-learn"),
    }
