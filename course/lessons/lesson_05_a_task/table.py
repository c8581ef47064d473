"""The snapshot of a student's orchard, read as data and compared with the right one."""

import csv
import io
import zlib

from core.errors import PipelineError
from course import orchard
from course.copy import Copy
from course.grading import history, reproduce
from course.grading.history import Publication
from course.grading.result import Red

SNAPSHOT = f"data/{orchard.NAME}.csv.gz"
MOST_BYTES = 5_000_000
_GZIP = 16 + zlib.MAX_WBITS
Lines = list[tuple[tuple[str, str], ...]]


def snapshot(copy: Copy, commit: str) -> Lines:
    """Return the rows of the snapshot in a commit, sorted, each as (column, text).

    Raises:
        PipelineError: it is no gzipped CSV, or too large.
    """
    try:
        inflated = zlib.decompressobj(_GZIP)
        content = inflated.decompress(copy.content(SNAPSHOT, commit), MOST_BYTES)
        if inflated.unconsumed_tail:
            raise PipelineError(f"{SNAPSHOT} is too large.")
        return _sorted(list(csv.DictReader(io.StringIO(content.decode("utf-8")))))
    except (zlib.error, UnicodeDecodeError, csv.Error) as error:
        raise PipelineError(f"{SNAPSHOT} is not a gzipped CSV.") from error


def season(copy: Copy, number: int) -> Lines:
    """Return the rows of a season of the student's orchard in the same form."""
    rows: list[dict[str, str]] = []
    for row in copy.orchard.season(number):
        rows.append({name: _text(value) for name, value in row.items()})
    return _sorted(rows)


def _text(value: float | str) -> str:
    """Return a value as a snapshot has it: a number with seven digits."""
    return value if isinstance(value, str) else f"{value:.7g}"


def _sorted(rows: list[dict[str, str]]) -> Lines:
    return sorted(tuple(sorted(_strings(row).items())) for row in rows)


def _strings(row: dict[str, str]) -> dict[str, str]:
    """Return a row whose names and values are texts, whatever a broken line has."""
    return {str(name): str(value) for name, value in row.items()}


def publication(copy: Copy, number: int = 1) -> Publication:
    """Return the newest promotion of a model that was trained on a season.

    Raises:
        Red: there is none, or those there are were trained on other rows.
    """
    rows = season(copy, number)
    promoted = []
    for each in history.publications(copy):
        run = history.training(copy, each, orchard.NAME)
        if run and reproduce.decision(run).word == "promoted":
            promoted.append(each)
    if not promoted:
        raise Red(f"no training of {orchard.NAME} was promoted")
    for each in reversed(promoted):
        if snapshot(copy, each.commit) == rows:
            return each
    raise Red(
        f"{SNAPSHOT} has other rows than your season {number}",
        "the table that `course data` writes for you",
    )
