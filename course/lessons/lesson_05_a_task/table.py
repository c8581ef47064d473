"""The snapshot of a student's orchard, read as data and compared with the right one."""

from course import orchard
from course.copy import Copy
from course.grading import reproduce, snapshot
from course.grading.history import Publication
from course.grading.result import Red
from course.grading.snapshot import Line

# A row as its columns with their texts, in the order of their names.
Cells = tuple[tuple[str, str], ...]


def published(copy: Copy, commit: str) -> list[Cells]:
    """Return the rows of the snapshot in a commit, sorted.

    Raises:
        PipelineError: it is no gzipped CSV, or too large.
    """
    rows = []
    for line in snapshot.lines(copy, orchard.NAME, commit):
        # A broken line has other things than texts.
        rows.append({str(name): str(text) for name, text in line.items()})
    return _sorted(rows)


def season(copy: Copy, number: int) -> list[Cells]:
    """Return the rows of a season of the student's orchard in the same form."""
    rows = []
    for row in copy.orchard.season(number):
        rows.append({name: _text(value) for name, value in row.items()})
    return _sorted(rows)


def _text(value: float | str) -> str:
    """Return a value as a snapshot has it: a number with seven digits."""
    if isinstance(value, str):
        return value
    return f"{value:.7g}"


def _sorted(rows: list[Line]) -> list[Cells]:
    cells = [tuple(sorted(row.items())) for row in rows]
    return sorted(cells)


def publication(copy: Copy, number: int = 1) -> Publication:
    """Return the newest promotion of a model that was trained on a season.

    Raises:
        Red: there is none, or those there are were trained on other rows.
    """
    promotions = reproduce.promotions(copy, orchard.NAME)
    if not promotions:
        raise Red(f"no training of {orchard.NAME} was promoted")
    rows = season(copy, number)
    for each in reversed(promotions):
        if published(copy, each.commit) == rows:
            return each
    raise Red(
        f"{snapshot.path(orchard.NAME)} has other rows than your season {number}",
        "the table that `course data` writes for you",
    )
