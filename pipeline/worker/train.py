"""A job: fit and judge one algorithm on the task's own data or on those of the request."""

import json
from dataclasses import replace
from pathlib import Path

import pandas as pd

from core.errors import PipelineError, UsageError
from core.files import to_json, write_atomic
from core.git import git
from history.verify import MANIFEST, MODEL
from pipeline import tasks
from pipeline.data import table as tables
from pipeline.data.validate import validate
from pipeline.params import Params
from pipeline.publish.record import now
from pipeline.repo import Repo
from pipeline.schema import Source, Task
from pipeline.train import estimators
from pipeline.train.candidates import Failure, Study, split
from pipeline.train.changes import changes
from pipeline.train.settings import load as load_settings
from pipeline.train.task_training import TaskTraining
from pipeline.worker import rows
from pipeline.worker.jobs import WORK, Json, Request
from pipeline.worker.rows import GIVEN


def run(repo: Repo, state: Path, request: Request) -> Json:
    """Train a `task`'s `algorithm`; the defaults of `data` and `parameters` are the
    project's.

    The runs go to MLflow, and the model to where `load.py` finds it by its run.
    Raises PipelineError: a name is unknown, a row breaks a rule, rows are few, or the
    fit failed.
    """
    settings, algorithm = load_settings(repo), request.algorithm
    _known("task", [request.task], [*settings.tasks])
    task, section = tasks.load(request.task), settings.tasks[request.task]
    _known("algorithm", [algorithm], estimators.names(task))
    accepted = estimators.parameter_names(task.kind, algorithm)
    _known(f"parameter of {algorithm}", [*request.parameters], accepted)
    if request.data is not None:
        table = rows.table(task, request.data, request.target)
        task = _with_rows(task, table, settings)
    only = {algorithm: request.parameters or section.candidates.get(algorithm, {})}
    one = {task.name: section.model_copy(update={"candidates": only})}
    settings = settings.model_copy(update={"tasks": one})
    own = request.data is not None  # then the snapshot's rows are not asked for
    training = TaskTraining(
        repo, task, settings, state / WORK, changes(repo), fresh=own
    )
    if not (made := training.run().challenger):
        reasons = [
            result.reason for result in training.results if isinstance(result, Failure)
        ]
        raise PipelineError(
            f"{algorithm} could not be trained on {task.name}: {reasons[0]}"
        )
    files, target = (
        next((state / WORK).rglob(made.model_id)),
        state / "trained" / made.run_id,
    )
    commit = git(repo.root, "rev-parse", "HEAD")
    ids = {"run_id": made.run_id, "model_id": made.model_id, "commit": commit}
    manifest = (
        json.loads((files / MANIFEST).read_bytes())
        | {"version": 0, "promoted": now()}
        | ids
    )
    write_atomic(target / MODEL, (files / MODEL).read_bytes())
    write_atomic(target / MANIFEST, to_json(manifest))
    parity = made.parity.model_dump()
    about = {"task": task.name, "algorithm": algorithm}
    return ids | about | {"metrics": made.holdout, "parity": parity}


def _known(what: str, given: list[str], known: list[str]) -> None:
    for name in given:
        if name not in known:
            raise UsageError(
                f"{name!r} is no {what}: choose from {', '.join(known) or 'none'}."
            )


def _with_rows(task: Task, given: pd.DataFrame, settings: Params) -> Task:
    """Return the task with these rows as its only source, if they are fit to train on."""
    table = validate(task, given, GIVEN)
    held = tables.in_holdout(task, table, settings.holdout_share)
    parts, folds = (table[~held], table[held]), settings.tasks[task.name].folds
    split(Study(task, list(task.features), *parts, folds, settings.seed))
    sources = (Source(GIVEN, lambda _: table),)
    return replace(task, sources=sources, homepage=GIVEN, licence="not stated")
