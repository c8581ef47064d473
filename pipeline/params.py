"""`params.yaml`: what people tune. A key that means nothing is an error with its path."""

import difflib
from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel, Field, ValidationError

from core.errors import UsageError, first_fault
from core.files import read_yaml
from pipeline import tasks
from pipeline.repo import Repo
from pipeline.schema import Task
from pipeline.train import estimators

Parameters = dict[str, Any]


class TaskParams(BaseModel, extra="forbid", frozen=True):
    """One task's section: folds of the cross-validation, features left out, candidates."""

    folds: int = Field(ge=2, le=50)
    exclude: list[str] = []
    candidates: dict[str, Parameters] = Field(min_length=1)


class Params(BaseModel, extra="forbid", frozen=True):
    """The whole file; `holdout_share` of the rows is kept for judging only."""

    seed: int = Field(ge=0, lt=2**32)
    holdout_share: float = Field(gt=0, lt=0.9)
    tasks: dict[str, TaskParams]


def load(repo: Repo) -> Params:
    """Read and check `params.yaml`, down to the names of the estimators' parameters.

    Raises:
        UsageError: the file is no YAML, lacks something, or has a key or value without
            meaning.
    """
    try:
        params = Params.model_validate(read_yaml(repo.params, "params.yaml"))
    except ValidationError as error:
        first = error.errors()[0]
        if first["type"] == "extra_forbidden":
            *path, key = map(str, first["loc"])
            known = TaskParams.model_fields if path else Params.model_fields
            _require(
                "key",
                "params.yaml: " + "".join(f"{part}." for part in path),
                [key],
                known,
            )
        raise UsageError(f"params.yaml: {first_fault(error)}.") from error
    _require("task", "params.yaml: tasks.", params.tasks, tasks.names())
    for name, section in params.tasks.items():
        _check(f"params.yaml: tasks.{name}.", tasks.load(name), section)
    return params.model_copy(update={"tasks": params.tasks | _own_sections(params)})


def _own_sections(params: Params) -> dict[str, TaskParams]:
    """Return the sections that tasks bring along in their own files, where params.yaml
    has none.
    """
    found = {}
    for name in tasks.names():
        task = tasks.load(name)
        if not task.training or name in params.tasks:
            continue
        where = f"pipeline/tasks/{name}.yaml: training."
        try:
            found[name] = TaskParams.model_validate(task.training)
        except ValidationError as error:
            raise UsageError(f"{where}{first_fault(error)}.") from error
        _check(where, task, found[name])
    return found


def _check(path: str, task: Task, section: TaskParams) -> None:
    """Check a task's section against the task and the estimators."""
    features = [feature.name for feature in task.features]
    _require("feature", f"{path}exclude.", section.exclude, features)
    if set(section.exclude) == set(features):
        raise UsageError(f"{path}exclude: leaves no feature; keep at least one.")
    _require(
        "algorithm", f"{path}candidates.", section.candidates, estimators.names(task)
    )
    for algorithm, parameters in section.candidates.items():
        accepted = estimators.parameter_names(task.kind, algorithm)
        _require("key", f"{path}candidates.{algorithm}.", parameters, accepted)


def _require(what: str, path: str, given: Iterable[str], known: Iterable[str]) -> None:
    """Refuse the first given name below a path that is not known, and suggest what was
    meant.
    """
    names = list(known)
    for name in given:
        if name not in names:
            close = difflib.get_close_matches(name, names, n=1)
            choice = f"known are: {', '.join(names) or 'none'}."
            hint = f"did you mean {close[0]}?" if close else choice
            raise UsageError(f"{path}{name}: unknown {what}; {hint}")
