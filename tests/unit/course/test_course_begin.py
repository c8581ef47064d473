"""`course start --student NAME`: the student's file, and the badge of the course."""

from pathlib import Path

import pytest

from core.errors import UsageError
from core.git import git
from course import begin, classroom, lesson, student
from course.copy import Copy
from course.show import WIDTH
from course.work import Work

README = "# My project\nIt predicts.\n"
PAGE = "https://github.com/ann/mlops/actions/workflows/course.yml"
BADGE = f"[![Course]({PAGE}/badge.svg)]({PAGE})"
# Lessons that ask every student for something else.
ASKING = (8, 10, 11, 13)


@pytest.fixture
def copy(tmp_path: Path) -> Copy:
    """Return a copy in which nobody has begun."""
    git(tmp_path, "init", "--quiet", "-b", "main")
    (tmp_path / "README.md").write_text(README, "utf-8")
    (tmp_path / "VERSION").write_text("1.0.0\n", "utf-8")
    (tmp_path / "course").mkdir()
    return Copy(tmp_path, "salt")


@pytest.mark.parametrize(
    "address",
    [
        "https://github.com/ann/mlops.git",
        "https://github.com/ann/mlops",
        "git@github.com:ann/mlops.git",
    ],
)
def test_a_copy_on_github_gets_the_badge_below_its_title(
    copy: Copy, address: str
) -> None:
    git(copy.root, "remote", "add", "origin", address)
    written = begin.begin(copy, "ann")
    assert written == [student.FILE, "README.md"]
    text = (copy.root / "README.md").read_text("utf-8")
    assert text == f"# My project\n{BADGE}\nIt predicts.\n"
    assert copy.student.handle == "ann"


def test_the_badge_is_written_once(copy: Copy) -> None:
    git(copy.root, "remote", "add", "origin", "https://github.com/ann/mlops")
    begin.begin(copy, "ann")
    written = begin.begin(copy, "ann")
    assert written == [student.FILE]
    text = (copy.root / "README.md").read_text("utf-8")
    assert text.count(BADGE) == 1


def test_a_copy_elsewhere_has_no_badge(copy: Copy) -> None:
    git(copy.root, "remote", "add", "origin", "https://example.org/ann/mlops")
    written = begin.begin(copy, "ann")
    assert written == [student.FILE]
    assert (copy.root / "README.md").read_text("utf-8") == README


def test_another_student_cannot_begin_in_the_same_copy(copy: Copy) -> None:
    begin.begin(copy, "ann")
    with pytest.raises(UsageError, match="this copy belongs to ann"):
        begin.begin(copy, "ben")


@pytest.mark.parametrize("number", ASKING)
def test_what_a_lesson_asks_for_fits_a_terminal(copy: Copy, number: int) -> None:
    begin.begin(copy, "ann")
    own = Copy(copy.root, classroom.load().salt)
    prepare = lesson.get(number).begin
    assert prepare is not None
    text = prepare(Work(own))
    too_wide = [line for line in text.splitlines() if len(line) > WIDTH]
    assert not too_wide
