"""The lessons as parameters of tests, and their checks as far as they can run here."""

from typing import Any

import pytest

from course import lesson
from course.grading.result import State
from course.lesson import Lesson
from tests.support.course_copies import Desk

# The one that each push runs; the others train models.
QUICK = 0


def marks(chosen: Lesson) -> list[pytest.MarkDecorator]:
    """Return the marks of a lesson's tests: all but one run at night."""
    return [] if chosen.number == QUICK else [pytest.mark.nightly]


def each_lesson() -> list[object]:
    """Return a parameter for each lesson."""
    listed = []
    for each in lesson.every():
        listed.append(pytest.param(each, id=each.folder, marks=marks(each)))
    return listed


def each_fake() -> list[object]:
    """Return the ways to cheat in each lesson: the lesson, and the fake."""
    parameters: list[object] = []
    for each in lesson.every():
        for fake in each.fakes:
            name = f"{each.folder}-{fake.name}"
            parameter = pytest.param(each, fake, id=name, marks=marks(each))
            parameters.append(parameter)
    return parameters


def graded(desk: Desk, chosen: Lesson) -> dict[str, Any]:
    """Return the result of a check, where this machine has the tools for it."""
    answer = desk.check(chosen.number)
    for check in answer["checks"]:
        if check["state"] == State.UNGRADABLE.value:
            pytest.skip(check["seen"])
    return answer
