"""Finds the task of a request whose path names none: the one that has its fields."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, TypeVar

from pydantic_core import from_json

from app.errors import ApiError
from app.serving import field_errors
from app.serving.field_errors import Fields, Location

# The beginning of a long body is enough to see the fields of its first record.
HEAD_BYTES = 4_096

Key = TypeVar("Key", frozenset[str], int)


class TasksByFields:
    """The tasks in service, by the names of their fields or by how many they have.

    Attributes:
        known_by_names: the tasks whose field names are those of no other task.
        known_by_length: the tasks that no other task has as many fields as.
    """

    def __init__(self, fields: Fields, not_ready: Sequence[str] = ()) -> None:
        """Group the tasks in service by their fields.

        Args:
            fields: the field names of each task in service.
            not_ready: why other tasks are not in service.
        """
        self._fields = fields
        self._not_ready = not_ready
        names = {task: frozenset(fields[task]) for task in fields}
        lengths = {task: len(fields[task]) for task in fields}
        self._by_names = _grouped(names)
        self._by_length = _grouped(lengths)
        self._by_own_names = _unique(self._by_names)
        by_own_length = _unique(self._by_length)
        self.known_by_names = frozenset(self._by_own_names.values())
        self.known_by_length = frozenset(by_own_length.values())
        self._own_names = _own_names(fields)

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
            body = _parse(content)
        except ValueError:
            return None
        if isinstance(body, dict):
            # Most bodies are one record of a task that is known by its names.
            task = self._by_own_names.get(frozenset(body))
            if task:
                return task
        location, first = _first_record(body)
        if not self._fields:
            return None
        if not isinstance(first, dict | list):
            return None
        tasks = self.tasks_with(first)
        if len(tasks) == 1:
            return tasks[0]
        raise self._error(location, first, tasks)

    def likely(self, content: bytes) -> str | None:
        """Return the task that a body of records is for, if it is valid for that task.

        The body holds a name that no other task has: looking for that is much faster
        than reading all the names.
        """
        if b'"features"' in content:  # rows without names may hold any text
            return None
        for name, task in self._own_names:
            if name in content:
                return task
        return None

    def tasks_with(self, first: Mapping[str, Any] | Sequence[Any]) -> list[str]:
        """Return the tasks with the names of a record, or with the length of a row."""
        if isinstance(first, Mapping):
            return self._by_names.get(frozenset(first), [])
        return self._by_length.get(len(first), [])

    def _error(self, location: Location, first: Any, tasks: list[str]) -> ApiError:
        if tasks:
            return field_errors.ambiguous(self._fields, location, first, tasks)
        if self._not_ready:
            reasons = "; ".join(self._not_ready)
            message = (
                "no task in service has these fields, and not all tasks are ready:"
                f" {reasons}."
            )
            return ApiError(503, message, headers={"Retry-After": "5"})
        return field_errors.unknown(self._fields, location, first)


def _grouped(keys: Mapping[str, Key]) -> dict[Key, list[str]]:
    """Return the tasks of each key, in alphabetical order."""
    groups: dict[Key, list[str]] = defaultdict(list)
    for task in sorted(keys):
        groups[keys[task]].append(task)
    return dict(groups)


def _unique(groups: Mapping[Key, list[str]]) -> dict[Key, str]:
    """Return the task of each key that only one task has."""
    unique = {}
    for key, tasks in groups.items():
        if len(tasks) == 1:
            unique[key] = tasks[0]
    return unique


def _own_names(fields: Fields) -> list[tuple[bytes, str]]:
    """Return for each task a name that no other task has, as it stands in JSON."""
    count: Counter[str] = Counter()
    for names in fields.values():
        count.update(names)
    own_names = []
    for task, names in fields.items():
        own = [name for name in names if count[name] == 1]
        if own:
            in_json = f'"{own[0]}"'
            own_names.append((in_json.encode(), task))
    return own_names


def _first_record(body: Any) -> tuple[Location, Any]:
    """Return the first record of a body, or the first row of a table, and its location.

    It is None where something else is in its place, or nothing.
    """
    if not isinstance(body, dict):
        first = _first(body)
        if not isinstance(first, dict):
            first = None
        return (0,), first
    if "features" not in body:
        return (), body
    first = _first(body["features"])
    if not isinstance(first, list):
        first = None
    return ("features", 0), first


def _parse(content: bytes) -> Any:
    """Parse a body as JSON; of a long one no more than the first record needs.

    Raises:
        ValueError: it is not JSON.
    """
    if len(content) <= HEAD_BYTES:
        return from_json(content)
    # The beginning may end in the middle of an escape sequence.
    with suppress(ValueError):
        start = from_json(content[:HEAD_BYTES], allow_partial=True)
        rows = start
        if isinstance(start, dict):
            rows = start.get("features")
        if isinstance(rows, list) and len(rows) > 1:  # the last one may be cut off
            return start
    return from_json(content)


def _first(rows: Any) -> Any:
    if isinstance(rows, list) and rows:
        return rows[0]
    return None
