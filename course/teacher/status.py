"""`course status ROSTER`: who of a class is stuck where."""

from collections.abc import Iterator
from typing import Any

from course.grading.result import State
from course.lesson import Lesson
from course.teacher.collect import COPY, Collection
from course.teacher.grade import part_name
from course.teacher.roster import Row

DONE = "all is done"

Pending = tuple[Lesson, dict[str, Any]]
"""A lesson that is not done, and what the checks said."""


def lines(collection: Collection) -> Iterator[tuple[str, str, str]]:
    """Yield a student, the number of lessons done, and where the student is.

    The place is the first lesson that is not done, with its first red check.
    """
    lessons = len(collection.lessons)
    for row in collection.rows:
        pending = list(_pending(collection, row))
        count = lessons - len(pending)
        done = f"{count} of {lessons}"
        about = collection.grader.kept(row.handle, COPY)
        place = about.get("error", "")
        if not place and pending:
            lesson, result = pending[0]
            reason = _first_red(result)
            place = f"lesson {lesson.number}: {reason}"
        yield row.handle, done, place or DONE


def _pending(collection: Collection, row: Row) -> Iterator[Pending]:
    """Yield the lessons that a student has not done."""
    for lesson in collection.lessons:
        content = collection.grader.kept(row.handle, part_name(lesson))
        result = content.get("result", {})
        if not result.get("passed", False):
            yield lesson, result


def _first_red(result: dict[str, Any]) -> str:
    for check in result.get("checks", []):
        if check["state"] != State.PASSED:
            name = check["name"]
            seen = check["seen"]
            return f"{name}: {seen}"
    return "not graded"
