"""`course start`: make a copy the copy of a student, or prepare a lesson in it."""

import re
from collections.abc import Callable

from core.errors import UsageError
from core.git import GitError
from core.redact import redact
from course import check, lesson, show, student
from course.copy import Copy
from course.lesson import Lesson
from course.work import Work

ADDRESS = re.compile(r"github\.com[:/](?P<name>[\w.-]+/[\w.-]+?)(?:\.git)?/?$")
BADGE_MARK = "/actions/workflows/course.yml/badge.svg"
Report = Callable[[str], None]


def begin(copy: Copy, handle: str) -> list[str]:
    """Write the student's file, and the badge if the copy is on GitHub.

    Returns the paths that were written.

    Raises:
        UsageError: the name cannot be one, or another student has begun here.
    """
    work = Work(copy)
    path = copy.root / student.FILE
    if path.is_file():
        text = path.read_text("utf-8")
        before = student.parse(text).handle
        if before != handle:
            raise UsageError(
                f"this copy belongs to {before}: everybody works in a copy of their own."
            )
    version = work.read("VERSION").strip()
    work.write(student.FILE, student.write(handle, version))
    written = [student.FILE]
    if _add_badge(work):
        written.append("README.md")
    return written


def _add_badge(work: Work) -> bool:
    """Put GitHub's badge of the course below the title of the README."""
    repository = origin(work.copy)
    text = work.read("README.md")
    if not repository or BADGE_MARK in text:
        return False
    address = f"https://github.com/{repository}"
    page = f"{address}/actions/workflows/course.yml"
    title, _, rest = text.partition("\n")
    badge = f"[![Course]({address}{BADGE_MARK})]({page})"
    work.write("README.md", f"{title}\n{badge}\n{rest}")
    return True


def origin(copy: Copy) -> str:
    """Return the copy's OWNER/NAME on GitHub; empty if it is elsewhere."""
    match = ADDRESS.search(address(copy))
    if not match:
        return ""
    return match["name"]


def address(copy: Copy) -> str:
    """Return the address of `origin` without passwords; empty if there is none."""
    try:
        return redact(copy.git("config", "--get", "remote.origin.url"))
    except GitError:
        return ""


def prepare(copy: Copy, number: int, report: Report) -> list[str]:
    """Prepare a lesson: solve the earlier ones that it needs, and begin it.

    Returns sentences that say what was done.

    Raises:
        UsageError: there are uncommitted changes.
    """
    wanted = lesson.get(number)
    report(f"preparing lesson {number} for {copy.student.handle}")
    missing = _missing(copy, wanted, report)
    done = []
    if missing:
        require_clean(copy)
        branch = f"lesson-{number}"
        copy.git("switch", "--quiet", "--create", branch)
        for other in missing:
            report(f"solving lesson {other.number}")
            other.solve(Work(copy, str(other.number)))
        numbers = ", ".join(str(other.number) for other in missing)
        done.append(f"On the branch {branch} the lessons {numbers} are solved for you.")
    if wanted.begin:
        done.append(wanted.begin(Work(copy)))
    done.append(f"Read course/lessons/{wanted.folder}/lesson.md")
    done.append(f"Then check with: python -m course check {number}")
    return done


def _missing(copy: Copy, wanted: Lesson, report: Report) -> list[Lesson]:
    """Return the lessons that a lesson needs, and that are not green, in their order."""
    numbers: set[int] = set()
    pending = list(wanted.front.needs)
    while pending:
        number = pending.pop()
        if number not in numbers:
            numbers.add(number)
            pending += lesson.get(number).front.needs
    missing: list[Lesson] = []
    for number in sorted(numbers):
        other = lesson.get(number)
        results = check.run_all(other.checks, copy, report)
        if missing or show.status(results):
            missing.append(other)
    return [other for other in missing if other.number]


def require_clean(copy: Copy) -> None:
    """Check that a solution commits nothing but its own changes.

    Raises:
        UsageError: there are changes.
    """
    if copy.git("status", "--porcelain", "--untracked-files=no"):
        raise UsageError("there are uncommitted changes: commit or stash them first.")
