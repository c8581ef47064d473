"""`course collect`: fetch the copies of a class, and grade what counts in each."""

import secrets
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from core import file_lock
from core.errors import PipelineError
from core.files import to_json, write_atomic
from core.git import succeeds
from core.redact import redact
from course import classroom, student
from course.lesson import Lesson
from course.teacher import bounds, deadline, roster, server
from course.teacher.checkout import checkout
from course.teacher.deadline import Submission
from course.teacher.grade import HISTORY, Grader
from course.teacher.mirror import MAIN, Mirror
from course.teacher.roster import Row
from course.work import TRAILER

AT_A_TIME = 2
COPY = "copy"
# Of the file with the student's name.
MOST_BYTES = 10_000
Report = Callable[[str], None]
# What is graded: a lesson, or the history (None).
Part = Lesson | None


@dataclass(frozen=True)
class Collection:
    """A collection of a class into a folder.

    Attributes:
        folder: mirrors, results and sheets.
        rows: the students.
        lessons: what is graded, besides each copy's history.
        now: the time of the collection.
    """

    folder: Path
    rows: Sequence[Row]
    lessons: Sequence[Lesson]
    now: datetime

    def mirror(self, row: Row) -> Mirror:
        """Return the mirror of a student's copy."""
        return Mirror(self.folder / "mirrors" / f"{row.handle}.git", row.handle)

    @property
    def grader(self) -> Grader:
        """How the class is graded."""
        return Grader(self.folder, self.folder / "salt")

    def run(self, report: Report) -> None:
        """Collect and grade all copies, two at a time.

        What an earlier collection graded is not graded again, unless the commit that
        counts, the grader or the salt is another one.

        Args:
            report: called with the name of each student who is done.
        """
        others = roster.shared(list(self.rows))

        def one(row: Row) -> str:
            self._write(row, *self._notes(row, others.get(row.handle, "")))
            return row.handle

        with ThreadPoolExecutor(AT_A_TIME) as pool:
            try:
                for handle in pool.map(one, self.rows):
                    report(handle)
            except BaseException:  # such as Ctrl-C: do not begin with the others
                pool.shutdown(cancel_futures=True)
                raise

    def _notes(self, row: Row, other: str) -> tuple[str, list[str]]:
        """Grade a copy, and return what is wrong with all of it, and notes."""
        notes = [f"its address is also that of {other}"] if other else []
        try:
            notes += self._copy(row)
        except (PipelineError, OSError) as error:
            return redact(str(error)).rstrip("."), notes
        except Exception as error:
            # A copy may hold anything: whatever it breaks is a line in its sheet.
            return f"it cannot be read ({type(error).__name__}: {error})", notes
        return "", notes

    def _copy(self, row: Row) -> list[str]:
        mirror = self.mirror(row)
        mirror.update(row.address, self.now)
        bounds.require_bounded(mirror.path, mirror.main)
        _require_own(mirror, row)
        pushes = server.pushes(row.address)
        pending: dict[str, list[tuple[Part, Submission]]] = {}
        for part, submitted in self._submissions(row, mirror, pushes):
            if submitted.commit and not self._is_graded(row, part, submitted):
                pending.setdefault(submitted.commit, []).append((part, submitted))
            if not submitted.commit:
                self.grader.miss(row.handle, part, submitted)
        for commit, parts in pending.items():
            with checkout(mirror, commit, row.address) as root:
                for part, submitted in parts:
                    self.grader.grade(root, row.handle, part, submitted)
        solved = _solved(mirror)
        if solved:
            solved = f"solved by `course solve` or `course start`: {solved}"
        sentences = (mirror.rewritten(), deadline.backwards(mirror), solved)
        return [sentence for sentence in sentences if sentence]

    def _submissions(
        self, row: Row, mirror: Mirror, pushes: Sequence[server.Push]
    ) -> Iterator[tuple[Part, Submission]]:
        yield None, Submission(mirror.main, deadline.NOW, None)
        dates = classroom.load()
        for lesson in self.lessons:
            due = deadline.last_moment(dates, lesson.number, row)
            yield (
                lesson,
                deadline.submission(mirror, due, lesson.number, pushes, self.now),
            )

    def _is_graded(self, row: Row, part: Part, submitted: Submission) -> bool:
        name = f"{part.number:02}" if part else HISTORY
        kept = self.grader.kept(row.handle, name)
        return bool(kept.get("key") == self.grader.key(submitted.commit, part))

    def _write(self, row: Row, error: str, notes: list[str]) -> None:
        content = {"error": error, "notes": notes, "commit": self.mirror(row).main}
        write_atomic(self.grader.file(row.handle, COPY), to_json(content))


def _require_own(mirror: Mirror, row: Row) -> None:
    """Check that a copy is that of the student in the roster.

    Raises:
        PipelineError: nobody has begun the course in it, or somebody else has.
    """
    name = f"{MAIN}:{student.FILE}"
    if not succeeds(mirror.path, "cat-file", "-e", name):
        raise PipelineError(
            f"the course was not begun in it: it has no {student.FILE}."
        )
    if int(mirror.git("cat-file", "-s", name)) > MOST_BYTES:
        raise PipelineError(f"{student.FILE} is too large.")
    handle = student.parse(mirror.git("cat-file", "blob", name)).handle
    if handle.lower() != row.handle.lower():
        raise PipelineError(f"it is the copy of {handle}, as {student.FILE} says.")


def _solved(mirror: Mirror) -> str:
    """Return the lessons whose solution the student had made, such as `2, 3`."""
    trailer = f"%(trailers:key={TRAILER},valueonly,separator=%x20)"
    listed = mirror.git("log", f"--format={trailer}", mirror.main)
    numbers = {int(word) for word in listed.split() if word.isdecimal()}
    return ", ".join(str(number) for number in sorted(numbers))


@contextmanager
def opened(folder: Path, salt_file: Path | None) -> Iterator[None]:
    """Make the folder of a collection, with a secret salt, and keep others out of it.

    Args:
        folder: the folder.
        salt_file: a file with the salt to use; by default one is drawn, once.

    Raises:
        PipelineError: another collection is at work there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("ab") as lock:
        if not file_lock.take(lock):
            raise PipelineError(f"another collection is at work in {folder}: wait.")
        salt = folder / "salt"
        if salt_file:
            write_atomic(salt, salt_file.read_bytes())
        elif not salt.is_file():
            write_atomic(salt, secrets.token_hex(16))
        salt.chmod(0o600)
        yield
