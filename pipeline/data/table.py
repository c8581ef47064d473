"""Tables as canonical text.

The same rows give the same bytes, and the same rows are held out, on every machine.
"""

import csv
import gzip
import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from core.errors import PipelineError
from core.files import sha256_bytes, write_atomic
from pipeline.data.read_csv import CHUNK_ROWS, GZIP, Damaged, read_csv
from pipeline.schema import Task

# Between the values of a row where it is compared or hashed as one text.
SEPARATOR = "\x1f"


def text(value: object) -> str:
    """Return a value's canonical text: a number with the 7 digits that a float32 holds."""
    if isinstance(value, int | float):
        number = value + 0.0  # -0.0 becomes 0.0
        return f"{number:.7g}"
    return str(value)


def texts(column: pd.Series) -> list[str]:
    """Return the canonical texts of a column's values.

    A numeric column is converted in one pass, because it may be long.
    """
    is_numeric = pd.api.types.is_numeric_dtype(column)
    if not is_numeric or pd.api.types.is_bool_dtype(column):
        return [text(value) for value in column]
    numbers = column.to_numpy(float) + 0.0
    values = numbers.tolist()
    return [f"{number:.7g}" for number in values]


def rows(table: pd.DataFrame) -> Iterator[tuple[str, ...]]:
    """Yield each row as the canonical texts of its values."""
    for start in range(0, len(table), CHUNK_ROWS):
        end = start + CHUNK_ROWS
        chunk = table.iloc[start:end]
        columns = []
        for place in range(chunk.shape[1]):
            column = chunk.iloc[:, place]
            columns.append(texts(column))
        yield from zip(*columns, strict=True)


def to_csv(table: pd.DataFrame) -> bytes:
    """Return the canonical CSV: a header, LF at the end of every line, UTF-8."""
    stream = io.BytesIO()
    file = io.TextIOWrapper(stream, encoding="utf-8", newline="")
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(table.columns)
    writer.writerows(rows(table))
    file.flush()
    return stream.getvalue()


def digest(table: pd.DataFrame) -> str:
    """Return the SHA-256 of the canonical CSV."""
    content = to_csv(table)
    return sha256_bytes(content)


def rows_digest(table: pd.DataFrame) -> str:
    """Return the SHA-256 of the canonical CSV with sorted rows.

    It is the same for the same rows in another order.
    """
    return digest(ordered(table))


def ordered(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows in the order of their canonical text."""
    keys = [SEPARATOR.join(row) for row in rows(table)]
    places = range(len(keys))
    order = sorted(places, key=keys.__getitem__)
    sorted_table = table.iloc[order]
    return sorted_table.reset_index(drop=True)


def in_holdout(task: Task, table: pd.DataFrame, share: float) -> np.ndarray:
    """Return for each row whether it is held out; shape (rows,), bool.

    A row is held out if the hash of its features, read as a fraction, is below `share`,
    so the same rows stay held out as the data grows. The target does not count: equal
    inputs stay together, whatever was observed for them.
    """
    return _fractions(task, table) < share


def sample(task: Task, table: pd.DataFrame, count: int) -> np.ndarray:
    """Return the numbers of `count` rows, or of all; shape (rows,), int, ascending.

    They are the rows whose features have the smallest hashes: the same rows wherever
    they are in the table.
    """
    fractions = _fractions(task, table)
    order = np.argsort(fractions, kind="stable")
    chosen = order[:count]
    return np.sort(chosen)


def _fractions(task: Task, table: pd.DataFrame) -> np.ndarray:
    """Return the hash of each row's features as a number from 0 to 1; shape (rows,)."""
    names = [feature.name for feature in task.features]
    features = table[names]
    fractions = [_fraction(row) for row in rows(features)]
    return np.array(fractions, dtype=float)


def _fraction(row: tuple[str, ...]) -> float:
    """Return the hash of a row as a number from 0 to 1."""
    content = SEPARATOR.join(row).encode()
    digest_of_row = sha256_bytes(content)
    number = int(digest_of_row[:16], 16)
    return number / 2**64


def packed(content: bytes) -> bytes:
    """Return a canonical CSV gzipped; the same table gives the same bytes."""
    stream = io.BytesIO()
    # Unlike gzip.compress, this writes the same header under every version of Python.
    with gzip.GzipFile("", "wb", fileobj=stream, mtime=0) as file:
        file.write(content)
    return stream.getvalue()


def write(path: Path, table: pd.DataFrame) -> None:
    """Write the canonical CSV, gzipped."""
    content = to_csv(table)
    write_atomic(path, packed(content))


def read(path: Path) -> pd.DataFrame:
    """Read a gzipped CSV with every value as text; `validate` converts the numbers.

    Raises:
        PipelineError: the file is damaged, or its rows do not fit its header.
    """
    try:
        with path.open("rb") as file:
            start = file.read(len(GZIP))
            if start != GZIP:
                raise Damaged("is not a complete gzipped CSV")
        return read_csv(path)
    except (OSError, Damaged) as error:
        raise PipelineError(
            f"{path}: {error}; restore it with `git checkout`, or write it again with "
            "`pipeline data add`."
        ) from error
    except ValueError as error:
        raise PipelineError(
            f"{path}: {error}, and add the table with `pipeline data add`."
        ) from error
