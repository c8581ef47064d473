"""Each lesson in a fresh copy: red before, red after each way to cheat, green after.

`-k lesson_03` runs one lesson; the lessons before it are only solved.
"""

from pathlib import Path
from typing import Any

import pytest

from course import lesson
from course.grading.result import State
from course.lesson import Lesson
from tests.support.course_copies import Class, Desk, failed

STUDENT = "ann"
OTHERS = ("ben", "eve")
# The one that each push runs; the others train models.
QUICK = 0
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def students(tmp_path_factory: pytest.TempPathFactory) -> Class:
    return Class(tmp_path_factory.mktemp("class"))


def parameters() -> list[object]:
    """Return the lessons, of which all but one run at night."""
    listed = []
    for each in lesson.every():
        marks = [] if each.number == QUICK else [pytest.mark.nightly]
        listed.append(pytest.param(each, id=each.folder, marks=marks))
    return listed


each_lesson = pytest.mark.parametrize("chosen", parameters())


def before(students: Class, chosen: Lesson, student: str = STUDENT) -> Desk:
    return students.after(chosen.number - 1, student)


def graded(desk: Desk, chosen: Lesson) -> dict[str, Any]:
    """Return the result of a check, where this machine has the tools for it."""
    answer = desk.check(chosen.number)
    for check in answer["checks"]:
        if check["state"] == State.UNGRADABLE.value:
            pytest.skip(check["seen"])
    return answer


@each_lesson
def test_a_lesson_is_red_before_it_is_done(students: Class, chosen: Lesson) -> None:
    answer = before(students, chosen).check(chosen.number)
    assert answer["status"] == 1
    assert failed(answer)


@each_lesson
def test_a_fake_is_red_for_its_reason(
    students: Class, chosen: Lesson, tmp_path: Path
) -> None:
    assert len(chosen.fakes) >= 2
    for number, fake in enumerate(chosen.fakes):
        desk = before(students, chosen).beside(tmp_path / str(number))
        fake.act(desk.work())
        answer = graded(desk, chosen)
        failures = failed(answer)
        assert fake.fails.name in failures, (fake.name, failures)
        assert fake.because in failures[fake.fails.name], fake.name


@each_lesson
def test_a_lesson_is_green_after_its_solution(students: Class, chosen: Lesson) -> None:
    answer = graded(students.after(chosen.number, STUDENT), chosen)
    assert answer["passed"], failed(answer)


@pytest.mark.nightly
@each_lesson
@pytest.mark.parametrize("student", OTHERS)
def test_a_lesson_is_green_for_others(
    students: Class, chosen: Lesson, student: str
) -> None:
    answer = graded(students.after(chosen.number, student), chosen)
    assert answer["passed"], failed(answer)
