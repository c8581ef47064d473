"""Tables as canonical text: the same rows are the same bytes, and held out, on every
machine.
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
from pipeline.data.read_csv import CHUNK_ROWS, Damaged, read_csv
from pipeline.schema import Task


def text(value: object) -> str:
    """Return a value's canonical text: a number with the 7 digits that a float32 holds."""
    # Adding zero turns -0.0 into 0.0.
    return f"{value + 0.0:.7g}" if isinstance(value, int | float) else str(value)


def texts(column: pd.Series) -> list[str]:
    """Return the canonical texts of a column's values; numbers in one go, as there may
    be many.
    """
    if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column):
        return [f"{value:.7g}" for value in (column.to_numpy(float) + 0.0).tolist()]
    return [text(value) for value in column]


def rows(table: pd.DataFrame) -> Iterator[tuple[str, ...]]:
    """Yield each row as its values' canonical texts."""
    for start in range(0, len(table), CHUNK_ROWS):
        part = table.iloc[start : start + CHUNK_ROWS]
        yield from zip(
            *(texts(part.iloc[:, place]) for place in range(part.shape[1])), strict=True
        )


def to_csv(table: pd.DataFrame) -> bytes:
    """Return the canonical CSV: a header, LF at every line's end, UTF-8."""
    stream = io.BytesIO()
    text = io.TextIOWrapper(stream, encoding="utf-8", newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(table.columns)
    writer.writerows(rows(table))
    text.flush()
    return stream.getvalue()


def digest(table: pd.DataFrame) -> str:
    """Return the SHA-256 of the canonical CSV."""
    return sha256_bytes(to_csv(table))


def rows_digest(table: pd.DataFrame) -> str:
    """Return the SHA-256 of the canonical CSV with its rows sorted: their order does
    not matter.
    """
    return sha256_bytes(to_csv(ordered(table)))


def ordered(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows in the order of their canonical text."""
    texts = ["\x1f".join(row) for row in rows(table)]
    order = sorted(range(len(texts)), key=texts.__getitem__)
    return table.iloc[order].reset_index(drop=True)


def in_holdout(task: Task, table: pd.DataFrame, share: float) -> np.ndarray:
    """Tell for each row whether it is held out; shape (rows,), bool.

    A row is held out when the hash of its features, read as a fraction, is below
    `share`: so it stays the same rows as the data grows. The target has no say: equal
    inputs stay together, whatever was observed for them.
    """
    features = rows(table[[feature.name for feature in task.features]])
    hashes = (sha256_bytes("\x1f".join(row).encode()) for row in features)
    return np.array(
        [int(sha256[:16], 16) / 2**64 < share for sha256 in hashes], dtype=bool
    )


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
    """Read a gzipped CSV with every value as its text; `validate` makes the numbers.

    Raises:
        PipelineError: the file is damaged, or its rows do not fit its header.
    """
    try:
        with path.open("rb") as file:
            if file.read(2) != b"\x1f\x8b":
                raise Damaged("is no whole gzipped CSV")
        return read_csv(path)
    except (OSError, Damaged) as error:
        raise PipelineError(
            f"{path}: {error}; restore it with `git checkout`, or write it anew with "
            "`pipeline data add`."
        ) from error
    except ValueError as error:
        raise PipelineError(
            f"{path}: {error}, and add the table with `pipeline data add`."
        ) from error
