"""The job "train": one algorithm on the task's own data or on those of the request."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from core.errors import PipelineError, UsageError
from core.file_names import MANIFEST, MODEL
from core.files import write_atomic
from core.git import git
from core.jobs import JobRequest
from core.manifest import Manifest, TrainedManifest
from pipeline import tasks
from pipeline.bundle import Challenger
from pipeline.data import table as tables
from pipeline.data.validate import validate
from pipeline.params import Params
from pipeline.repo import Repo
from pipeline.schema import Source, Task
from pipeline.train import estimators
from pipeline.train.candidates import Failure
from pipeline.train.changes import changes
from pipeline.train.settings import load as load_settings
from pipeline.train.task_training import TaskTraining
from pipeline.train.training_data import TrainingData
from pipeline.worker import request_rows
from pipeline.worker.job_queue import WORK
from pipeline.worker.job_store import now
from pipeline.worker.request_rows import GIVEN


def run(repo: Repo, state: Path, request: JobRequest) -> dict[str, Any]:
    """Train a task's algorithm, log it to MLflow and keep the model for a "load" job.

    Args:
        repo: the checkout.
        state: the folder that the worker shares with the API.
        request: the `task` and the `algorithm`; without `data` and `parameters`, those
            of the project are used.

    Raises:
        PipelineError: a name is unknown, a row is not valid, there are too few rows, or
            the algorithm cannot be fitted.
    """
    settings = load_settings(repo)
    _require_known("task", [request.task], settings.tasks)
    task = tasks.load(request.task)
    settings = _only(request, task, settings)
    if request.data is not None:
        table = request_rows.table(task, request.data, request.target)
        task = _with_rows(task, table, settings)
    training = TaskTraining(
        repo,
        task,
        settings,
        state / WORK,
        changes(repo),
        # The snapshot's rows are not to replace those of the request.
        refresh=request.data is not None,
    )
    challenger = training.run().challenger
    if challenger is None:
        failures = [r for r in training.results if isinstance(r, Failure)]
        reason = failures[0].reason
        raise PipelineError(
            f"{request.algorithm} could not be trained on {task.name}: {reason}"
        )
    return _keep(repo, state, task, challenger)


def _only(request: JobRequest, task: Task, settings: Params) -> Params:
    """Return settings with the requested algorithm as the task's only candidate."""
    algorithm = request.algorithm
    parameters = request.parameters
    _require_known("algorithm", [algorithm], estimators.names(task))
    accepted = estimators.parameter_names(task.kind, algorithm)
    _require_known(f"parameter of {algorithm}", parameters, accepted)
    section = settings.tasks[task.name]
    if not parameters:
        parameters = section.candidates.get(algorithm, {})
    candidates = {algorithm: parameters}
    section = section.model_copy(update={"candidates": candidates})
    sections = {task.name: section}
    return settings.model_copy(update={"tasks": sections})


def _keep(
    repo: Repo,
    state: Path,
    task: Task,
    challenger: Challenger,
) -> dict[str, Any]:
    """Copy a trained model to where a "load" job finds it; return the job's result."""
    files = next((state / WORK).rglob(challenger.model_id))
    commit = git(repo.root, "rev-parse", "HEAD")
    ids = {
        "run_id": challenger.run_id,
        "model_id": challenger.model_id,
        "commit": commit,
    }
    trained = TrainedManifest.read(files / MANIFEST)
    manifest = Manifest.of(trained, version=0, promoted=now(), **ids)
    target = state / "trained" / challenger.run_id
    content = (files / MODEL).read_bytes()
    write_atomic(target / MODEL, content)
    write_atomic(target / MANIFEST, manifest.render())
    return ids | {
        "task": task.name,
        "algorithm": challenger.algorithm,
        "metrics": challenger.holdout,
        "parity": challenger.parity.model_dump(),
    }


def _require_known(what: str, names: Iterable[str], choices: Iterable[str]) -> None:
    accepted = list(choices)
    for name in names:
        if name not in accepted:
            choice = ", ".join(accepted) or "none"
            raise UsageError(f"{name!r} is not a known {what}: choose from {choice}.")


def _with_rows(task: Task, table: pd.DataFrame, settings: Params) -> Task:
    """Return the task with some rows as its only source.

    Raises:
        PipelineError: they are not valid, or too few to train on.
    """
    rows = validate(task, table, GIVEN)
    held = tables.in_holdout(task, rows, settings.holdout_share)
    data = TrainingData(
        task=task,
        features=list(task.features),
        train=rows[~held],
        holdout=rows[held],
        folds=settings.tasks[task.name].folds,
        seed=settings.seed,
    )
    data.split()
    source = Source(GIVEN, lambda _: rows)
    return replace(
        task,
        sources=(source,),
        homepage=GIVEN,
        licence="not stated",
    )
