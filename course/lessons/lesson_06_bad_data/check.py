"""Checks of lesson 6: good rows pass, and each bad one is refused with its place."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from course import orchard
from course.check import Check
from course.classroom import ROOT
from course.copy import Copy
from course.grading import process, sandbox, worktree
from course.grading.process import Outcome
from course.grading.result import Red, Verdict, failed, passed
from course.lessons.lesson_06_bad_data import faults
from course.lessons.lesson_06_bad_data.faults import Fault
from course.orchard import Row

TASK = orchard.NAME
SNAPSHOT = f"data/{TASK}.csv.gz"
SECONDS = 60
REFUSED = 1


@contextmanager
def tree(copy: Copy) -> Iterator[Path]:
    """Write the template's code with the student's task, during the block."""
    with worktree.folder() as folder:
        worktree.template_code(ROOT, folder)
        worktree.student_settings(copy, copy.head, folder)
        yield folder


def add(folder: Path, rows: list[Row]) -> Outcome:
    """Offer a table to the task in a folder."""
    file = folder / "offered.csv"
    file.write_bytes(orchard.to_csv(rows))
    command = process.python("-m", "pipeline", "data", "add", file.name)
    command += ["--task", TASK]
    return sandbox.run(command, folder, SECONDS, writes=sandbox.EVERYTHING)


class GoodRowsPass(Check):
    """Set the ranges to what the data sheet calls possible, not to what you have seen."""

    name = "good rows of two seasons pass"

    def run(self, copy: Copy) -> Verdict:
        """Offer hidden rows without a fault."""
        rows = faults.good(copy)
        with tree(copy) as folder:
            outcome = add(folder, rows)
        if not outcome.succeeded:
            return failed(
                f"a good row is refused: {_sentence(outcome)}",
                "all that is possible passes, also in another season",
            )
        return passed(f"{len(rows)} rows")


class BadRowsAreRefused(Check):
    """Set `low` and `high` of each feature and of the target in the task's YAML."""

    name = "each bad row is refused, with its row and column"
    requires = (GoodRowsPass,)

    def run(self, copy: Copy) -> Verdict:
        """Offer tables with one hidden fault each."""
        wanted = faults.faults(copy)
        missed = []
        with tree(copy) as folder:
            for fault in wanted:
                if not _is_refused(folder, fault):
                    missed.append(fault.name)
        if missed:
            return failed(
                f"{len(missed)} of {len(wanted)} pass: {', '.join(missed)}",
                "none is trained on",
            )
        return passed(f"{len(wanted)} of {len(wanted)} are refused")


def _is_refused(folder: Path, fault: Fault) -> bool:
    """Offer a table with a fault, and return whether it is refused as it should be.

    Raises:
        Red: it is refused, but not so.
    """
    snapshot = folder / SNAPSHOT
    before = snapshot.read_bytes()
    outcome = add(folder, fault.rows)
    if outcome.succeeded:
        snapshot.write_bytes(before)
        return False
    if not _names(outcome, fault):
        raise Red(
            f"{fault.name} is refused, but: {_sentence(outcome)}",
            "a sentence with the row and the column",
        )
    if snapshot.read_bytes() != before:
        raise Red(f"{fault.name} is refused, and yet written")
    return True


def _names(outcome: Outcome, fault: Fault) -> bool:
    """Return whether the refusal says which row and column are wrong."""
    if outcome.status != REFUSED:
        return False
    places = [f"row {fault.row}, column {name}:" for name in fault.columns]
    return any(place in outcome.reason for place in places)


def _sentence(outcome: Outcome) -> str:
    """Return the reason without the name of the grader's file."""
    return outcome.reason.removeprefix("offered.csv: ").rstrip(".")


CHECKS = (GoodRowsPass, BadRowsAreRefused)
