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
from course.teacher.grade import Grader, Part
from course.teacher.image import PROCESSES, Choice
from course.teacher.mirror import MAIN, Mirror
from course.teacher.roster import Row
from course.work import TRAILER

AT_A_TIME = 2
COPY = "copy"
# Of the file with the student's name.
MOST_BYTES = 10_000
Report = Callable[[str], None]
# What is graded of a copy, with the commit that counts for it.
Submitted = tuple[Part, Submission]
# What is to be graded, by the commit.
Pending = dict[str, list[Submitted]]
# What is wrong with all of a copy, if anything is, and notes about it.
Remarks = tuple[str, list[str]]


@dataclass(frozen=True)
class Collection:
    """A collection of a class into a folder.

    Attributes:
        folder: mirrors, results and sheets.
        rows: the students.
        lessons: what is graded, besides each copy's history.
        now: the time of the collection.
        choice: where programs of the copies run.
    """

    folder: Path
    rows: Sequence[Row]
    lessons: Sequence[Lesson]
    now: datetime
    choice: Choice = PROCESSES

    def mirror(self, row: Row) -> Mirror:
        """Return the mirror of a student's copy."""
        mirrors = self.folder / "mirrors"
        path = mirrors / f"{row.handle}.git"
        return Mirror(path, row.handle)

    @property
    def grader(self) -> Grader:
        """How the class is graded."""
        salt = self.folder / "salt"
        return Grader(self.folder, salt, self.choice.container)

    def run(self, report: Report) -> None:
        """Collect and grade all copies, two at a time.

        What an earlier collection graded is not graded again, unless the commit that
        counts, the grader or the salt is another one, or it could not be graded here.

        Args:
            report: called with the name of each student who is done.
        """
        others = roster.shared(list(self.rows))

        def one(row: Row) -> str:
            error, notes = self._graded(row)
            other = others.get(row.handle)
            if other:
                notes.insert(0, f"its address is also that of {other}")
            self._write(row, error, notes)
            return row.handle

        with ThreadPoolExecutor(AT_A_TIME) as pool:
            try:
                for handle in pool.map(one, self.rows):
                    report(handle)
            except BaseException:  # such as Ctrl-C: do not begin with the others
                pool.shutdown(cancel_futures=True)
                raise

    def _graded(self, row: Row) -> Remarks:
        """Grade a copy, whatever is wrong with it."""
        try:
            return "", self._grade(row)
        except (PipelineError, OSError) as error:
            sentence = redact(str(error))
            return sentence.rstrip("."), []
        except Exception as error:
            # A copy may hold anything: whatever it breaks is a line in its sheet.
            kind = type(error).__name__
            sentence = f"it cannot be read ({kind}: {error})"
            return sentence, []

    def _grade(self, row: Row) -> list[str]:
        """Fetch a copy and grade what counts in it; return notes about the copy."""
        mirror = self.mirror(row)
        mirror.update(row.address, self.now)
        bounds.require_bounded(mirror.path, mirror.main)
        _require_own(mirror, row)
        pending = self._pending(row, mirror)
        for commit, parts in pending.items():
            with checkout(mirror, commit, row.address) as root:
                for part, submitted in parts:
                    self.grader.grade(root, row.handle, part, submitted)
        notes = (
            mirror.rewritten(),
            deadline.backwards(mirror),
            _solved(mirror),
        )
        return [note for note in notes if note]

    def _pending(self, row: Row, mirror: Mirror) -> Pending:
        """Return what is to be graded."""
        grader = self.grader
        pending: Pending = {}
        for part, submitted in self._submissions(row, mirror):
            commit = submitted.commit
            if not commit:
                grader.miss(row.handle, part, submitted)
                continue
            if grader.is_graded(row.handle, part, commit):
                continue
            parts = pending.setdefault(commit, [])
            parts.append((part, submitted))
        return pending

    def _submissions(self, row: Row, mirror: Mirror) -> Iterator[Submitted]:
        """Yield the history and each lesson with the commit that counts."""
        now = Submission(
            mirror.main,
            deadline.NOW,
            None,
        )
        yield None, now
        pushes = server.pushes(row.address)
        dates = classroom.load()
        for lesson in self.lessons:
            number = lesson.number
            due = deadline.last_moment(dates, number, row)
            submitted = deadline.submission(
                mirror,
                due,
                number,
                pushes,
                self.now,
            )
            yield lesson, submitted

    def _write(self, row: Row, error: str, notes: list[str]) -> None:
        mirror = self.mirror(row)
        content = {
            "error": error,
            "notes": notes,
            "commit": mirror.main,
        }
        file = self.grader.file(row.handle, COPY)
        write_atomic(file, to_json(content))


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
    size = mirror.git("cat-file", "-s", name)
    if int(size) > MOST_BYTES:
        raise PipelineError(f"{student.FILE} is too large.")
    text = mirror.git("cat-file", "blob", name)
    handle = student.parse(text).handle
    if handle.lower() != row.handle.lower():
        raise PipelineError(f"it is the copy of {handle}, as {student.FILE} says.")


def _solved(mirror: Mirror) -> str:
    """Return a note with the lessons whose solution the student had made, if any."""
    trailer = f"%(trailers:key={TRAILER},valueonly,separator=%x20)"
    output = mirror.git("log", f"--format={trailer}", mirror.main)
    words = set(output.split())
    numbers = map(int, filter(str.isdecimal, words))
    lessons = [str(number) for number in sorted(numbers)]
    if not lessons:
        return ""
    listed = ", ".join(lessons)
    return f"solved by `course solve` or `course start`: {listed}"


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
