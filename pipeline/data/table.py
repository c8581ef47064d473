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
        # Adding zero turns -0.0 into 0.0.
        return f"{value + 0.0:.7g}"
    return str(value)


def texts(column: pd.Series) -> list[str]:
    """Return the canonical texts of a column's values.

    A numeric column is converted in one pass, because it may be long.
    """
    is_numeric = pd.api.types.is_numeric_dtype(column)
    if not is_numeric or pd.api.types.is_bool_dtype(column):
        return [text(value) for value in column]
    numbers = column.to_numpy(float) + 0.0
    return [f"{number:.7g}" for number in numbers.tolist()]


def rows(table: pd.DataFrame) -> Iterator[tuple[str, ...]]:
    """Yield each row as the canonical texts of its values."""
    for start in range(0, len(table), CHUNK_ROWS):
        chunk = table.iloc[start : start + CHUNK_ROWS]
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
    return sha256_bytes(to_csv(table))


def rows_digest(table: pd.DataFrame) -> str:
    """Return the SHA-256 of the canonical CSV with sorted rows.

    It is the same for the same rows in another order.
    """
    return sha256_bytes(to_csv(ordered(table)))


def ordered(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows in the order of their canonical text."""
    keys = [SEPARATOR.join(row) for row in rows(table)]
    order = sorted(range(len(keys)), key=keys.__getitem__)
    return table.iloc[order].reset_index(drop=True)


def in_holdout(task: Task, table: pd.DataFrame, share: float) -> np.ndarray:
    """Return for each row whether it is held out; shape (rows,), bool.

    A row is held out if the hash of its features, read as a fraction, is below `share`,
    so the same rows stay held out as the data grows. The target does not count: equal
    inputs stay together, whatever was observed for them.
    """
    features = [feature.name for feature in task.features]
    held_out = []
    for row in rows(table[features]):
        text_of_row = SEPARATOR.join(row)
        sha256 = sha256_bytes(text_of_row.encode())
        number = int(sha256[:16], 16)
        fraction = number / 2**64
        held_out.append(fraction < share)
    return np.array(held_out, dtype=bool)


def packed(content: bytes) -> bytes:
    """Return a canonical CSV gzipped; the same table gives the same bytes."""
    stream = io.BytesIO()
    # Unlike gzip.compress, this writes the same header under every version of Python.
    with gzip.GzipFile("", "wb", fileobj=stream, mtime=0) as file:
        file.write(content)
    return stream.getvalue()


def write(path: Path, table: pd.DataFrame) -> None:
    """Write the canonical CSV, gzipped."""
    write_atomic(path, packed(to_csv(table)))


def read(path: Path) -> pd.DataFrame:
    """Read a gzipped CSV with every value as text; `validate` converts the numbers.

    Raises:
        PipelineError: the file is damaged, or its rows do not fit its header.
    """
    try:
        with path.open("rb") as file:
            if file.read(len(GZIP)) != GZIP:
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
