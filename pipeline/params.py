"""`params.yaml`: what people tune. A key that means nothing is an error with its path."""

import difflib
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pipeline import tasks
from pipeline.errors import UsageError
from pipeline.repo import Repo
from pipeline.training import estimators

Parameters = dict[str, Any]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class TaskParams(_Strict):
    """One task's section: folds of the cross-validation, features left out, candidates."""

    folds: int = Field(ge=2, le=50)
    exclude: list[str] = []
    candidates: dict[str, Parameters] = Field(min_length=1)


class Params(_Strict):
    """The whole file; `holdout_share` of the rows is kept for judging only."""

    seed: int = Field(ge=0, lt=2**32)
    holdout_share: float = Field(gt=0, lt=0.9)
    tasks: dict[str, TaskParams]


def load(repo: Repo) -> Params:
    """Read and check `params.yaml`, down to the names of the estimators' parameters.

    Raises:
        UsageError: the file is no YAML, lacks something, or has a key or value without meaning.
    """
    try:
        content = yaml.safe_load(repo.params.read_text(encoding="utf-8"))
        params = Params.model_validate(content)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}, column {mark.column + 1}" if mark else "this file"
        raise UsageError(f"{repo.params.name}: is no YAML; look at {where}.") from error
    except ValidationError as error:
        first = error.errors()[0]
        path = ".".join(map(str, first["loc"])) or "file"
        if first["type"] == "extra_forbidden":
            known = Params.model_fields if len(first["loc"]) == 1 else TaskParams.model_fields
            raise _unknown("key", path, list(known)) from error
        raise UsageError(f"{repo.params.name}: {path}: {first['msg']}.") from error
    for name, section in params.tasks.items():
        _check(name, section)
    return params


def _check(name: str, section: TaskParams) -> None:
    """Check a task's section against the task and the estimators."""
    path = f"tasks.{name}"
    if name not in tasks.names():
        raise _unknown("task", path, tasks.names())
    task = tasks.load(name)
    features = [feature.name for feature in task.features]
    for excluded in section.exclude:
        if excluded not in features:
            raise _unknown("feature", f"{path}.exclude.{excluded}", features)
    if set(section.exclude) == set(features):
        raise UsageError(f"params.yaml: {path}.exclude: leaves no feature; keep at least one.")
    for algorithm, parameters in section.candidates.items():
        where, known = f"{path}.candidates.{algorithm}", estimators.names(task)
        if algorithm not in known:
            raise _unknown("algorithm", where, known)
        accepted = estimators.parameter_names(task.kind, algorithm)
        for parameter in parameters:
            if parameter not in accepted:
                raise _unknown("key", f"{where}.{parameter}", accepted)


def _unknown(what: str, path: str, known: list[str]) -> UsageError:
    close = difflib.get_close_matches(path.rsplit(".", 1)[-1], known, n=1)
    hint = f"did you mean {close[0]}?" if close else f"known are: {', '.join(known) or 'none'}."
    return UsageError(f"params.yaml: {path}: unknown {what}; {hint}")
