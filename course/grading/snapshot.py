"""The snapshot of a task's table in a commit, read as data."""

import csv
import io
import zlib

from core.errors import PipelineError
from course.copy import Copy

MOST_BYTES = 20_000_000
# The text of each column of a row, by the column's name.
Line = dict[str, str]
_GZIP = 16 + zlib.MAX_WBITS


def path(task: str) -> str:
    """Return where the snapshot of a task is, from the root."""
    return f"data/{task}.csv.gz"


def lines(copy: Copy, task: str, commit: str) -> list[Line]:
    """Return the rows of the snapshot of a task.

    Raises:
        PipelineError: it is no gzipped CSV, or too large.
    """
    try:
        text = _unpacked(copy, task, commit).decode("utf-8")
        return list(csv.DictReader(io.StringIO(text)))
    except (zlib.error, UnicodeDecodeError, csv.Error) as error:
        raise PipelineError(f"{path(task)} is not a gzipped CSV.") from error


def _unpacked(copy: Copy, task: str, commit: str) -> bytes:
    packed = copy.content(path(task), commit)
    inflated = zlib.decompressobj(_GZIP)
    content = inflated.decompress(packed, MOST_BYTES)
    if inflated.unconsumed_tail:
        raise PipelineError(f"{path(task)} is too large.")
    return content
