"""Which task a request is for if its path names none: the one that has its fields."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, TypeVar

from pydantic_core import from_json

from app.errors import MAX_DETAILS, ApiError, Detail

# The beginning of a long body is enough to see the fields of its first record.
HEAD_BYTES = 4_096
# How many names a message lists, and how many characters of each: clients may send any.
MAX_NAMES, MAX_NAME = 100, 60

Key = TypeVar("Key", frozenset[str], int)


class TasksByFields:
    """The tasks in service, found by the names of their fields or by how many they
    have.

    Attributes:
        known_by_names: the tasks whose field names are those of no other task.
        known_by_length: the tasks that no other task has as many fields as.
    """

    def __init__(
        self, fields: Mapping[str, Sequence[str]], not_ready: Sequence[str] = ()
    ) -> None:
        """Take the field names of each task in service, and why others are not in
        service.
        """
        self._fields, self._not_ready = fields, not_ready
        self._by_names = _grouped(
            {task: frozenset(names) for task, names in fields.items()}
        )
        self._by_length = _grouped({task: len(names) for task, names in fields.items()})
        self._by_own_names = {
            key: found[0] for key, found in self._by_names.items() if not found[1:]
        }
        self.known_by_names = frozenset(self._by_own_names.values())
        self._own_names = _own_names(fields)
        self.known_by_length = frozenset(
            found[0] for found in self._by_length.values() if not found[1:]
        )

    def task_of(self, content: bytes) -> str | None:
        """Return the task whose fields the first record or row of a JSON body has.

        Returns:
            None if there is no record, which is wrong for every task, or no task in
            service.

        Raises:
            ApiError: 422 if no task has these fields, or several have them; 503 if no
                task in service has them and some task is not in service.
        """
        try:
            body = (
                from_json(content) if len(content) <= HEAD_BYTES else _parsed(content)
            )
        except ValueError:
            return None
        # Most bodies are one record of a task that is known by its names: they are
        # found at once.
        if isinstance(body, dict) and (task := self._by_own_names.get(frozenset(body))):
            return task
        return self._task_of(*_first_record(body)) if self._fields else None

    def likely(self, content: bytes) -> str | None:
        """Return the task that a body of records is for if it is valid for that task.

        It is the one of which a name that no other task has is in the body: to look for
        that costs far less than to read all the names.
        """
        if (
            b'"features"' in content
        ):  # rows without names: what is in them may be any text
            return None
        for name, task in self._own_names:
            if name in content:
                return task
        return None

    def _task_of(self, place: str, first: Any) -> str | None:
        if not isinstance(first, dict | list):
            return None
        tasks = self.tasks_with(first)
        if len(tasks) == 1:
            return tasks[0]
        if tasks:
            raise self._ambiguous(place, first, tasks)
        if self._not_ready:
            why = "; ".join(self._not_ready)
            message = (
                "no task in service has these fields, and not all tasks are ready:"
                f" {why}."
            )
            raise ApiError(503, message, headers={"Retry-After": "5"})
        raise self._unknown(place, first)

    def tasks_with(self, first: Mapping[str, Any] | Sequence[Any]) -> list[str]:
        """Return the tasks in service that have the names of a record, or the length of
        a row.
        """
        if isinstance(first, Mapping):
            return self._by_names.get(frozenset(first), [])
        return self._by_length.get(len(first), [])

    def _ambiguous(self, place: str, first: Any, tasks: list[str]) -> ApiError:
        if isinstance(first, dict):
            message = (
                f"the tasks {_listed(tasks)} have the same fields: name one in the"
                " path."
            )
        else:
            message = (
                f"the tasks {_listed(tasks)} have {len(first)} fields each: name one in"
                " the path, or send records with the names of their fields."
            )
        return ApiError(422, f"{place}: {message}", self._details(place, tasks))

    def _unknown(self, place: str, first: Any) -> ApiError:
        tasks = sorted(
            self._fields, key=lambda task: (-self._shared(task, first), task)
        )
        if isinstance(first, list):
            lengths = _listed(
                [f"{task} has {len(self._fields[task])}" for task in tasks]
            )
            message = f"no task has {len(first)} fields: {lengths}."
        elif self._shared(tasks[0], first):
            difference = _difference(self._fields[tasks[0]], first)
            others = f"; the other tasks are {_listed(tasks[1:])}" if tasks[1:] else ""
            message = (
                f"no task has exactly these fields: {tasks[0]} {difference}{others}."
            )
        else:
            message = f"no task has these fields: the tasks are {_listed(tasks)}."
        return ApiError(422, f"{place}: {message}", self._details(place, tasks))

    def _shared(self, task: str, first: Any) -> int:
        """Return how many fields of a task a record has; of a row without names none."""
        names = self._fields[task] if isinstance(first, dict) else ()
        return sum(name in first for name in names)

    def _details(self, place: str, tasks: list[str]) -> list[Detail]:
        return [
            Detail(
                where=place, what=f"{task} has the fields {_listed(self._fields[task])}"
            )
            for task in tasks[:MAX_DETAILS]
        ]


def _grouped(keys: Mapping[str, Key]) -> dict[Key, list[str]]:
    """Return the tasks of each key, in alphabetical order."""
    groups: dict[Key, list[str]] = defaultdict(list)
    for task in sorted(keys):
        groups[keys[task]].append(task)
    return dict(groups)


def _own_names(fields: Mapping[str, Sequence[str]]) -> list[tuple[bytes, str]]:
    """Return a name that no other task has, as it stands in JSON, of each task that has
    one.
    """
    count = Counter(name for names in fields.values() for name in names)
    own = {
        task: [name for name in names if count[name] == 1]
        for task, names in fields.items()
    }
    return [(f'"{names[0]}"'.encode(), task) for task, names in own.items() if names]


def _first_record(body: Any) -> tuple[str, Any]:
    """Return the place of the first record of a body, or of the first row of a table,
    and itself.

    Where there should be one and is something else, or nothing, it is None.
    """
    if isinstance(body, dict):
        if "features" not in body:
            return "body", body
        first = _head(body["features"])
        return "body.features.0", first if isinstance(first, list) else None
    first = _head(body)
    return "body.0", first if isinstance(first, dict) else None


def _parsed(content: bytes) -> Any:
    """Read the beginning of a long body as JSON, or all of it if its first record is
    not whole.
    """
    with suppress(
        ValueError
    ):  # it ends in the middle of an escape sequence, or is no JSON
        start = from_json(content[:HEAD_BYTES], allow_partial=True)
        rows = start.get("features") if isinstance(start, dict) else start
        if isinstance(rows, list) and len(rows) > 1:  # the last one may be cut off
            return start
    return from_json(content)


def _head(rows: Any) -> Any:
    return rows[0] if isinstance(rows, list) and rows else None


def _difference(names: Sequence[str], given: Mapping[str, Any]) -> str:
    """Say what a task's fields have and a record has not, and the other way round."""
    missing = [name for name in names if name not in given]
    unknown = [name for name in given if name not in names]
    parts = [f"also needs {_listed(missing)}"] if missing else []
    parts += [f"has no {_listed(unknown)}"] if unknown else []
    return " and ".join(parts)


def _listed(names: Sequence[str]) -> str:
    """Return names as a sentence lists them."""
    shown = [name[:MAX_NAME] for name in names[:MAX_NAMES]]
    last = f"{len(names) - MAX_NAMES} more" if len(names) > MAX_NAMES else shown.pop()
    return f"{', '.join(shown)} and {last}" if shown else last
