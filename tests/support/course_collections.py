"""Collections of a class into a folder, and the lines of their sheet."""

import csv
from datetime import UTC, datetime

from course.teacher import sheet
from course.teacher.collect import Collection, opened

NOW = datetime(2027, 3, 1, 12, tzinfo=UTC)

Line = dict[str, str]
"""A student's line in `grades.csv`, by the titles of its columns."""

Lines = dict[str, Line]
"""The lines of all students, by their names."""


def collected(collection: Collection) -> Lines:
    """Collect, and return the lines of the sheet."""
    folder = collection.folder
    with opened(folder, None):
        collection.run(ignored)
    sheet.write(collection, "a <class>")
    page = folder / sheet.PAGE
    text = page.read_text("utf-8")
    assert "Grades: a &lt;class&gt;" in text
    lines = {}
    table = folder / sheet.TABLE
    with table.open(encoding="utf-8") as stream:
        for line in csv.DictReader(stream):
            handle = line["handle"]
            lines[handle] = line
    return lines


def ignored(_: str) -> None:
    """Report nothing."""
