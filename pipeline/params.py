"""`params.yaml`: the settings people tune. An unknown key is an error with its path."""

import difflib
from collections.abc import Iterable
from typing import Annotated, Any, NamedTuple

from pydantic import BaseModel, Field, ValidationError

from core.errors import UsageError, first_fault
from pipeline import tasks
from pipeline.repo import Repo
from pipeline.schema import Task
from pipeline.search_settings import Search
from pipeline.yaml_file import read_yaml

Parameters = dict[str, Any]


class TaskParams(BaseModel, extra="forbid", frozen=True):
    """One task's section: cross-validation folds, excluded features and candidates.

    For tables of many rows, `holdout_sample` limits the rows of the hold-out that the
    permutation importance and the parity are computed on, and `row_limits` gives the
    most rows that an algorithm is trained on; it is left out if there are more.
    `search` is what `pipeline search` varies, and no training reads it.
    """

    folds: int = Field(ge=2, le=50)
    exclude: list[str] = []
    candidates: dict[str, Parameters] = Field(min_length=1)
    holdout_sample: int | None = Field(default=None, ge=100)
    row_limits: dict[str, Annotated[int, Field(ge=1)]] = {}
    search: Search | None = None


class Params(BaseModel, extra="forbid", frozen=True):
    """The whole file; `holdout_share` is the share of the rows held out of training."""

    seed: int = Field(ge=0, lt=2**32)
    holdout_share: float = Field(gt=0, lt=0.9)
    tasks: dict[str, TaskParams]


class Section(NamedTuple):
    """A task's section with its task, and the path by which an error names it."""

    path: str
    task: Task
    params: TaskParams


def load(repo: Repo) -> Params:
    """Read `params.yaml`, and check it against the tasks; see `read`."""
    return read(repo)[0]


def read(repo: Repo) -> tuple[Params, list[Section]]:
    """Read `params.yaml`, and check it against the tasks.

    The candidates are not checked: `pipeline.train.settings` knows the algorithms. A
    task without a section there may bring one in its own file.

    Raises:
        UsageError: the file is not YAML, lacks something, or has an unknown key or
            value.
    """
    params = _parse(repo)
    require_known("task", "params.yaml: tasks.", params.tasks, tasks.names())
    sections = []
    for name, task_params in params.tasks.items():
        path = f"params.yaml: tasks.{name}."
        task = tasks.load(name)
        sections.append(Section(path, task, task_params))
    sections += _own_sections(params)
    by_task = {}
    for section in sections:
        _check_features(section)
        by_task[section.task.name] = section.params
    return params.model_copy(update={"tasks": by_task}), sections


def _parse(repo: Repo) -> Params:
    try:
        return Params.model_validate(read_yaml(repo.params, "params.yaml"))
    except ValidationError as error:
        first = error.errors()[0]
        if first["type"] == "extra_forbidden":
            _raise_unknown_key(first["loc"])
        raise UsageError(f"params.yaml: {first_fault(error)}.") from error


def _raise_unknown_key(location: tuple[int | str, ...]) -> None:
    """Raise the error for a key that is unknown at its place in the file."""
    *parents, key = [str(part) for part in location]
    path = "params.yaml: "
    for parent in parents:
        path += f"{parent}."
    model = TaskParams if parents else Params
    require_known("key", path, [key], model.model_fields)


def _own_sections(params: Params) -> list[Section]:
    """Return the sections of tasks that have none in params.yaml but in their own file."""
    sections = []
    for name in tasks.names():
        task = tasks.load(name)
        if not task.training or name in params.tasks:
            continue
        path = f"pipeline/tasks/{name}.yaml: training."
        try:
            task_params = TaskParams.model_validate(task.training)
        except ValidationError as error:
            raise UsageError(f"{path}{first_fault(error)}.") from error
        sections.append(Section(path, task, task_params))
    return sections


def _check_features(section: Section) -> None:
    """Check that a section excludes only features of its task, and not all of them."""
    task = section.task
    features = [feature.name for feature in task.features]
    excluded = section.params.exclude
    require_known(
        "feature", f"{section.path}exclude.", excluded, [*features, *task.derived]
    )
    if set(excluded).issuperset(features):
        raise UsageError(
            f"{section.path}exclude: every feature is excluded; keep at least one."
        )


def require_known(
    what: str, path: str, given: Iterable[str], allowed: Iterable[str]
) -> None:
    """Check that all given names are allowed.

    Args:
        what: what the names are, such as "key".
        path: the path of the names in the file, for the error.
        given: the names in the file.
        allowed: the names that may be there.

    Raises:
        UsageError: a name is not; the error suggests the one that was probably meant.
    """
    names = list(allowed)
    for name in given:
        if name not in names:
            hint = _hint(name, names)
            raise UsageError(f"{path}{name}: unknown {what}; {hint}")


def _hint(name: str, allowed: list[str]) -> str:
    """Return the name that was probably meant, or else all that are allowed."""
    if not allowed:
        return "none is allowed here."
    close = difflib.get_close_matches(name, allowed, n=1)
    if close:
        return f"did you mean {close[0]}?"
    names = ", ".join(allowed)
    return f"choose from: {names}."
