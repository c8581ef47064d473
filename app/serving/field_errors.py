"""Errors for requests whose fields are those of no task, or of several."""

from collections.abc import Mapping, Sequence
from typing import Any

from app.errors import MAX_FAULTS, ApiError, body_fault
from core.counts import counted

# How many names a message lists, and how many characters of each: clients send any.
MAX_NAMES = 100
MAX_NAME_LENGTH = 60

Fields = Mapping[str, Sequence[str]]
Location = Sequence[str | int]


def ambiguous(
    fields: Fields, location: Location, first: Any, tasks: Sequence[str]
) -> ApiError:
    """Return the error 422 for a record or row that fits several tasks.

    Args:
        fields: the fields of each task.
        location: where the record is in the body.
        first: the record or row.
        tasks: the tasks that have its fields.
    """
    names = _listed(tasks)
    if isinstance(first, dict):
        message = f"the tasks {names} have the same fields: name one in the path."
    else:
        message = (
            f"the tasks {names} have {counted(len(first), 'field')} each: name one in the"
            " path, or send records with the names of their fields."
        )
    return _error(fields, location, message, tasks)


def unknown(fields: Fields, location: Location, first: Any) -> ApiError:
    """Return the error 422 for a record or row with the fields of no task.

    The tasks that share most of its fields are listed first.
    """

    def rank(task: str) -> tuple[int, str]:
        shared = _shared(fields[task], first)
        return -shared, task

    tasks = sorted(fields, key=rank)
    closest = tasks[0]
    if isinstance(first, list):
        lengths = [f"{task} has {len(fields[task])}" for task in tasks]
        message = f"no task has {counted(len(first), 'field')}: {_listed(lengths)}."
    elif _shared(fields[closest], first):
        difference = _difference(fields[closest], first)
        message = f"no task has exactly these fields: {closest} {difference}"
        others = tasks[1:]
        if others:
            message += f"; the other tasks are {_listed(others)}"
        message += "."
    else:
        message = f"no task has these fields: the tasks are {_listed(tasks)}."
    return _error(fields, location, message, tasks)


def _error(
    fields: Fields, location: Location, message: str, tasks: Sequence[str]
) -> ApiError:
    place = ".".join(map(str, ("body", *location)))
    faults = []
    for task in tasks[:MAX_FAULTS]:
        names = _listed(fields[task])
        fault = body_fault(location, f"{task} has the fields {names}")
        faults.append(fault)
    return ApiError(422, f"{place}: {message}", faults)


def _shared(names: Sequence[str], first: Any) -> int:
    """Return how many fields of a task a record has; of a row without names none."""
    if not isinstance(first, dict):
        return 0
    return sum(name in first for name in names)


def _difference(names: Sequence[str], record: Mapping[str, Any]) -> str:
    """Describe which of a task's fields a record lacks, and which it has besides."""
    missing = [name for name in names if name not in record]
    unexpected = [name for name in record if name not in names]
    parts = []
    if missing:
        parts.append(f"also needs {_listed(missing)}")
    if unexpected:
        parts.append(f"has no {_listed(unexpected)}")
    return " and ".join(parts)


def _listed(names: Sequence[str]) -> str:
    """Return names as a sentence lists them."""
    shown = [name[:MAX_NAME_LENGTH] for name in names[:MAX_NAMES]]
    omitted = len(names) - len(shown)
    last = f"{omitted} more" if omitted else shown.pop()
    if not shown:
        return last
    return f"{', '.join(shown)} and {last}"
