"""The sheet of a class: `grades.csv` and a page, from the results that are kept."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from core.files import write_atomic
from course import begin
from course.grading.result import State
from course.lesson import Lesson
from course.show import CANNOT
from course.teacher.collect import COPY, Collection
from course.teacher.grade import HISTORY, Grader, part_name
from course.teacher.roster import Row

TABLE = "grades.csv"
PAGE = "grades.html"
PASSED = "passed"
# What a spreadsheet would take for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True)
class Cell:
    """A student's result of a lesson, or of the history.

    Attributes:
        title: what was graded.
        text: a few words.
        passed: whether all checks passed.
        kept: the result; empty if there is none.
    """

    title: str
    text: str
    passed: bool
    kept: dict[str, Any]


@dataclass(frozen=True)
class Line:
    """A student in the sheet."""

    row: Row
    page: str
    error: str
    notes: list[str]
    cells: list[Cell]

    @property
    def done(self) -> int:
        """The number of lessons that passed."""
        return sum(cell.passed for cell in self.cells[1:])

    @property
    def remarks(self) -> list[str]:
        """What is wrong with the copy, if anything is, and what was noticed."""
        return [self.error, *self.notes] if self.error else self.notes


def write(collection: Collection, name: str) -> None:
    """Write both files, each whole or not at all.

    Args:
        collection: the collection.
        name: the name of the class.
    """
    lines = [_line(collection, row) for row in collection.rows]
    table = _csv(collection.lessons, lines)
    write_atomic(collection.folder / TABLE, table)
    template = _environment().get_template("grades.html")
    time = f"{collection.now:%Y-%m-%d %H:%M %Z}"
    page = template.render(
        name=name,
        time=time,
        programs=collection.choice.sentence,
        lessons=collection.lessons,
        lines=lines,
    )
    write_atomic(collection.folder / PAGE, page)


def _line(collection: Collection, row: Row) -> Line:
    grader = collection.grader
    about = grader.kept(row.handle, COPY)
    cells = [_cell(grader, row, HISTORY, HISTORY)]
    for lesson in collection.lessons:
        title = f"{lesson.number} {lesson.front.title}"
        cell = _cell(grader, row, part_name(lesson), title)
        cells.append(cell)
    error = about.get("error", "")
    notes = about.get("notes", [])
    return Line(row, _page(row), error, notes, cells)


def _page(row: Row) -> str:
    """Return the page of a copy on GitHub; empty if it is elsewhere."""
    match = begin.ADDRESS.search(row.address)
    return f"https://github.com/{match['name']}" if match else ""


def _cell(grader: Grader, row: Row, part: str, title: str) -> Cell:
    kept = grader.kept(row.handle, part)
    if not kept:
        return Cell(title, "not graded", False, kept)
    result = kept["result"]
    return Cell(title, _text(kept), result["passed"], kept)


def _text(kept: dict[str, Any]) -> str:
    result = kept["result"]
    if result["passed"]:
        return PASSED
    if not kept["commit"]:
        return "nothing in time"
    checks = result["checks"]
    count = sum(check["state"] == State.PASSED for check in checks)
    text = f"{count} of {len(checks)}"
    if result["status"] == CANNOT:
        text += ", cannot be graded here"
    if kept["public_only"]:
        text += ", passes with the public draws alone"
    if kept["before"].get("passed"):
        text += ", passed before the grader changed"
    return text


def _csv(lessons: Sequence[Lesson], lines: Sequence[Line]) -> str:
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    titles = [f"lesson {lesson.number}" for lesson in lessons]
    writer.writerow(["handle", "lessons passed", *titles, HISTORY, "remarks"])
    for line in lines:
        words = [cell.text for cell in line.cells]
        remarks = "; ".join(line.remarks)
        values = [line.row.handle, str(line.done), *words[1:], words[0], remarks]
        writer.writerow([harmless(value) for value in values])
    return stream.getvalue()


def harmless(value: str) -> str:
    """Return a value that no spreadsheet takes for a formula, in one line."""
    text = " ".join(value.split())
    return f"'{text}" if text.startswith(_FORMULA) else text


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("course.teacher"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
