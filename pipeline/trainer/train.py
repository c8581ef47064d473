"""A job: fit and judge one algorithm on the task's own data or on those of the request."""

import dataclasses
import json
from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from pipeline import params, tasks
from pipeline.data import table as tables
from pipeline.data.split import in_holdout
from pipeline.data.validate import validate
from pipeline.errors import PipelineError, UsageError
from pipeline.files import to_json, write_atomic
from pipeline.git import git
from pipeline.history import layout
from pipeline.history.verify import MANIFEST, MODEL
from pipeline.params import Params
from pipeline.publishing.record import now
from pipeline.repo import Repo
from pipeline.schema import Source, Task
from pipeline.trainer.jobs import WORK, Json
from pipeline.training import estimators
from pipeline.training.candidates import Failure, Study, split
from pipeline.training.task_training import TaskTraining
from pipeline.training.train import WATCHED

GIVEN = "data of the request"


def run(
    repo: Repo, state: Path, task: str, algorithm: str, parameters: Json, data: list[Json] | None
) -> Json:
    """Train; the runs go to MLflow, and the model to where `load.py` finds it by its run.

    Args:
        parameters: if empty, those of `params.yaml`.
        data: rows with the target; None for the task's own.

    Raises:
        UsageError: the task, the algorithm or a parameter is unknown.
        PipelineError: a row breaks a rule, there are too few, or the fit failed.
    """
    settings, place, aside = params.load(repo), Repo(repo.root), state / WORK
    _known("task", [task], settings.tasks)
    chosen, section = tasks.load(task), settings.tasks[task]
    _known("algorithm", [algorithm], estimators.names(chosen))
    accepted = estimators.parameter_names(chosen.kind, algorithm)
    _known(f"parameter of {algorithm}", parameters, accepted)
    if data is not None:
        chosen, place.data = _with_rows(chosen, data, settings), repo.build / "no-snapshots"
    only = {algorithm: parameters or section.candidates.get(algorithm, {})}
    one = {task: section.model_copy(update={"candidates": only})}
    changes = git(repo.root, "status", "--porcelain", "--", *WATCHED).splitlines()
    settings, dirty = settings.model_copy(update={"tasks": one}), [line[3:] for line in changes]
    training = TaskTraining(place, chosen, settings, aside, dirty)
    if not (made := training.run().challenger):
        reasons = [result.reason for result in training.results if isinstance(result, Failure)]
        raise PipelineError(f"{algorithm} could not be trained on {task}: {reasons[0]}")
    run_folder = layout.run_folders(aside / "mlruns")[made.run_id]
    files, target = run_folder / layout.MODELS / made.model_id, state / "trained" / made.run_id
    manifest = json.loads((files / MANIFEST).read_bytes())
    manifest |= {"version": 0, "run_id": made.run_id, "model_id": made.model_id, "promoted": now()}
    manifest |= {"commit": git(repo.root, "rev-parse", "HEAD")}
    write_atomic(target / MODEL, (files / MODEL).read_bytes())
    write_atomic(target / MANIFEST, to_json(manifest))
    found = {"run_id": made.run_id, "algorithm": algorithm, "metrics": made.holdout}
    return found | {"parity": made.parity.model_dump()}


def _known(what: str, given: Iterable[str], known: Iterable[str]) -> None:
    for name in given:
        if name not in known:
            raise UsageError(f"{name!r} is no {what}: choose from {', '.join(known) or 'none'}.")


def _with_rows(task: Task, data: list[Json], settings: Params) -> Task:
    """Return the task with these rows as its only source, if they are fit to train on."""
    table = validate(task, pd.DataFrame(data).astype(object).map(str), GIVEN)
    held, folds = in_holdout(task, table, settings.holdout_share), settings.tasks[task.name].folds
    split(Study(task, list(task.features), table[~held], table[held], folds, settings.seed))
    given = dataclasses.replace(task, homepage=GIVEN, licence="not stated")
    source = Source(GIVEN, lambda _: table)
    return dataclasses.replace(given, sources=(source,), digest=tables.digest(table))
