"""`course class check`: whether a class can begin, and its lessons solved once."""

from collections.abc import Callable, Iterator
from pathlib import Path

from core.files import emptied
from core.git import git
from course import check, classroom, lesson, show
from course.classroom import ROOT, Classroom
from course.copy import Copy
from course.lesson import Lesson
from course.work import Work

# Nobody's name: what everybody's solution has in common is in its copy.
HANDLE = "reference"
UNSET = "self-study"
_IDENTITY = ("-c", "user.name=teacher", "-c", "user.email=teacher@example.org")


def faults(room: Classroom) -> list[str]:
    """Return what is to be set in `course/class.yaml` before a class begins."""
    sentences = []
    if room.name == UNSET:
        sentences.append("name: write the name of the class.")
    if room.salt == UNSET:
        sentences.append("salt: write a word that no earlier class had.")
    if "OWNER/REPOSITORY" in room.template:
        sentences.append("template: write the address that students copy from.")
    numbers = [each.number for each in lesson.every()]
    for number in room.due:
        if number not in numbers:
            sentences.append(f"due: there is no lesson {number}.")
    if git(ROOT, "status", "--porcelain", "--untracked-files=no"):
        sentences.append(
            "this checkout has changes that are in no commit: commit them."
        )
    return sentences


def folder(out: Path) -> Path:
    """Return where the copy with all solutions is."""
    return out / HANDLE


def solve(out: Path, report: Callable[[str], None]) -> Iterator[tuple[Lesson, str]]:
    """Solve each lesson in a fresh copy, and yield it with what its checks say.

    The copy stays in the folder: `compare` leaves out what it has.

    Args:
        out: the folder of the class.
        report: called with what is done next.
    """
    part = out / f"{HANDLE}.part"
    with emptied(part):
        clone = _fresh(part)
        copy = Copy(clone, classroom.load().salt, owner=HANDLE)
        for each in lesson.every():
            report(f"solving lesson {each.number}")
            each.solve(Work(copy))
            copy = copy.at(clone)
            results = check.run_all(each.checks, copy, report)
            yield each, show.count(results) if show.status(results) else "passed"
        with emptied(folder(out)):
            pass
        part.rename(folder(out))


def _fresh(part: Path) -> Path:
    """Make a copy as "Use this template" makes it, and a bare origin beside it."""
    origin = part / "origin.git"
    clone = part / "clone"
    git(part, "clone", "--quiet", "--no-checkout", str(ROOT), str(clone))
    command = ("commit-tree", "HEAD^{tree}", "-m", "Initial commit")
    commit = git(clone, *_IDENTITY, *command)
    git(clone, "checkout", "--quiet", "-B", "main", commit)
    git(part, "init", "--quiet", "--bare", "-b", "main", str(origin))
    git(clone, "remote", "set-url", "origin", str(origin))
    for key, value in (("name", "teacher"), ("email", "teacher@example.org")):
        git(clone, "config", f"user.{key}", value)
    git(clone, "push", "--quiet", "origin", "main")
    return clone
