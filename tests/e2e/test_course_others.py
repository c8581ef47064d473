"""The solutions of the lessons with the draws of two more students."""

import pytest

from course.lesson import Lesson
from tests.support.course_copies import Class, failed
from tests.support.course_lessons import each_lesson, graded

STUDENTS = ("ben", "eve")
pytestmark = [pytest.mark.slow, pytest.mark.nightly]


@pytest.fixture(scope="module")
def students(tmp_path_factory: pytest.TempPathFactory) -> Class:
    return Class(tmp_path_factory.mktemp("class"))


@pytest.mark.parametrize("student", STUDENTS)
@pytest.mark.parametrize("chosen", each_lesson())
def test_a_lesson_is_green_after_its_solution(
    students: Class, chosen: Lesson, student: str
) -> None:
    answer = graded(students.after(chosen.number, student), chosen)
    assert answer["passed"], failed(answer)
