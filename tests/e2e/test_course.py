"""Each lesson in a fresh copy: red before, red after each way to cheat, green after.

`-k lesson_03` runs one lesson; the lessons before it are only solved. The copies of other
students are in a file of their own, so that two workers share the work.
"""

from pathlib import Path

import pytest

from course import classroom, lesson, outputs
from course.lesson import Lesson
from course.teacher.class_check import UNSET
from course.work import Fake
from tests.support.course_copies import Class, Desk, failed
from tests.support.course_lessons import each_fake, each_lesson, graded

STUDENT = outputs.STUDENT
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def students(tmp_path_factory: pytest.TempPathFactory) -> Class:
    return Class(tmp_path_factory.mktemp("class"))


def before(students: Class, chosen: Lesson) -> Desk:
    return students.after(chosen.number - 1, STUDENT)


def quoting() -> list[Lesson]:
    """Return the lessons whose pages quote what a program prints."""
    return [each for each in lesson.every() if outputs.names(each.text)]


@pytest.mark.parametrize("chosen", each_lesson())
def test_a_lesson_is_red_before_it_is_done(students: Class, chosen: Lesson) -> None:
    answer = before(students, chosen).check(chosen.number)
    assert answer["status"] == 1
    assert failed(answer)


@pytest.mark.parametrize("chosen, fake", each_fake())
def test_a_fake_is_red_for_its_reason(
    students: Class, chosen: Lesson, fake: Fake, tmp_path: Path
) -> None:
    desk = before(students, chosen).beside(tmp_path / "desk")
    fake.act(desk.work())
    failures = failed(graded(desk, chosen))
    assert fake.fails.name in failures, failures
    assert fake.because in failures[fake.fails.name]


@pytest.mark.parametrize("chosen", each_lesson())
def test_a_lesson_is_green_after_its_solution(students: Class, chosen: Lesson) -> None:
    answer = graded(students.after(chosen.number, STUDENT), chosen)
    assert answer["passed"], failed(answer)


@pytest.mark.nightly
@pytest.mark.skipif(
    classroom.load().salt != UNSET, reason="the pages have the draws of another salt"
)
@pytest.mark.parametrize("chosen", quoting(), ids=lambda chosen: chosen.folder)
def test_a_page_quotes_what_is_printed(students: Class, chosen: Lesson) -> None:
    earlier = before(students, chosen)
    done = students.after(chosen.number, STUDENT)
    printed = outputs.run(chosen, earlier.folder, done.folder)
    text = outputs.written(chosen.text, printed)
    assert text == chosen.text, "run `nox -s docs -- --lessons`"
