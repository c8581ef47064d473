"""`course class check`: whether a class can begin, and its lessons solved once."""

from collections.abc import Callable, Iterator
from pathlib import Path

from core.files import emptied
from core.git import git, succeeds
from course import check, classroom, lesson, show
from course.classroom import FILE, ROOT, Classroom
from course.copy import Copy
from course.lesson import Lesson
from course.work import Work

# Nobody's name: what everybody's solution has in common is in its copy.
HANDLE = "reference"
UNSET = "self-study"
NAME = "teacher"
EMAIL = "teacher@example.org"


def faults(room: Classroom) -> list[str]:
    """Return what is to be set in `course/class.yaml` before a class begins."""
    sentences = []
    if room.name == UNSET:
        sentences.append("name: write the name of the class.")
    if room.salt == UNSET:
        sentences.append("salt: write a word that no earlier class had.")
    if "OWNER/REPOSITORY" in room.template:
        sentences.append("template: write the address that students copy from.")
    sentences += _grader_faults(room)
    numbers = [each.number for each in lesson.every()]
    for number in room.due:
        if number not in numbers:
            sentences.append(f"due: there is no lesson {number}.")
    if git(ROOT, "status", "--porcelain", "--untracked-files=no"):
        sentences.append(
            "this checkout has changes that are in no commit: commit them."
        )
    return sentences


def _grader_faults(room: Classroom) -> list[str]:
    """Return what is wrong with the commit whose checks GitHub runs in the copies."""
    if not room.grader:
        head = git(ROOT, "rev-parse", "HEAD")
        return [f"grader: write {head}, this commit, then push both to the template."]
    short = room.grader[:7]
    blob = f"{room.grader}:{FILE}"
    if not succeeds(ROOT, "cat-file", "-e", blob):
        return [f"grader: this checkout has no commit {short}."]
    text = git(ROOT, "cat-file", "blob", blob)
    then = classroom.parse(text)
    if then.salt != room.salt:
        return [f"grader: commit {short} has another salt: write a later one."]
    return []


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
        room = classroom.load()
        copy = Copy(clone, room.salt, owner=HANDLE)
        for each in lesson.every():
            report(f"solving lesson {each.number}")
            work = Work(copy)
            each.solve(work)
            copy = copy.at(clone)
            results = check.run_all(each.checks, copy, report)
            word = "passed"
            if show.status(results) != show.GREEN:
                word = show.count(results)
            yield each, word
        with emptied(folder(out)):
            pass
        part.rename(folder(out))


def _fresh(part: Path) -> Path:
    """Make a copy as "Use this template" makes it, and a bare origin beside it."""
    origin = part / "origin.git"
    clone = part / "clone"
    git(part, "clone", "--quiet", "--no-checkout", str(ROOT), str(clone))
    git(clone, "config", "user.name", NAME)
    git(clone, "config", "user.email", EMAIL)
    command = ("commit-tree", "HEAD^{tree}", "-m", "Initial commit")
    commit = git(clone, *command)
    git(clone, "checkout", "--quiet", "-B", "main", commit)
    git(part, "init", "--quiet", "--bare", "-b", "main", str(origin))
    git(clone, "remote", "set-url", "origin", str(origin))
    git(clone, "push", "--quiet", "origin", "main")
    return clone
