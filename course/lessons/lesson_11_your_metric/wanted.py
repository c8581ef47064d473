"""The metric of lesson 11: what it counts, and questions that it must count so."""

import operator
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from course.copy import Copy
from course.personal import Draw

COMPARISONS: dict[str, Callable[[int, int], bool]] = {
    "more than": operator.gt,
    "at least": operator.ge,
    "fewer than": operator.lt,
}
SIGNS = {"more than": ">", "at least": ">=", "fewer than": "<"}
UNITS = ("requests", "records")
Record = dict[str, Any]


@dataclass(frozen=True)
class Question:
    """A request to the API.

    Attributes:
        task: the task.
        body: what is sent.
        size: the number of records; 0 if there is no prediction.
    """

    task: str
    body: Any
    size: int


class Wanted:
    """The metric of a student."""

    def __init__(self, draw: Draw) -> None:
        self._draw = draw

    @cached_property
    def comparison(self) -> str:
        """How the number of records is compared."""
        return self._draw.choose("lesson 11 comparison", list(COMPARISONS))

    @cached_property
    def bound(self) -> int:
        """What it is compared with."""
        return self._draw.number("lesson 11 bound", 3, 9)

    @cached_property
    def unit(self) -> str:
        """What is counted: requests, or the records in them."""
        return self._draw.choose("lesson 11 unit", UNITS)

    @property
    def sample(self) -> str:
        """The name of its samples."""
        return f"sized_{self.unit}_total"

    @property
    def sentence(self) -> str:
        """What it counts."""
        requests = f"the requests with {self.comparison} {self.bound} records"
        if self.unit == "records":
            return f"the records of {requests}"
        return requests

    def counts(self, size: int) -> int:
        """Return by how much it grows for a request with so many records."""
        if not size or not COMPARISONS[self.comparison](size, self.bound):
            return 0
        return size if self.unit == "records" else 1


def questions(copy: Copy) -> list[Question]:
    """Return the hidden questions to the models that are in service, in some order."""
    listed = []
    for path in copy.paths("deployment/models"):
        if path.endswith("/manifest.json"):
            task = path.split("/")[2]
            record = _example(copy.json(path))
            listed += _of_task(copy, task, record)
    return copy.hidden.shuffled("lesson 11 order", listed)


def _of_task(copy: Copy, task: str, record: Record) -> list[Question]:
    """Return the questions to a model: sizes around the bound, and an invalid request."""
    bound = Wanted(copy.personal).bound
    more = copy.hidden.number(f"lesson 11 more {task}", 2, 9)
    listed = []
    for size in (1, bound - 1, bound, bound + 1, bound + more):
        listed.append(Question(task, [record] * size, size))
    listed.append(Question(task, record, 1))
    invalid = [record] * bound
    invalid.append({"no such field": 1})
    listed.append(Question(task, invalid, 0))
    return listed


def _example(manifest: dict[str, Any]) -> Record:
    """Return a record that a model accepts."""
    record: Record = {}
    for feature in manifest["features"]:
        record[feature["name"]] = feature["example"]
    return record
