"""A strict CSV reader: every value belongs to the column that the header gives it.

The usual readers guess: pandas takes an extra column for an index, pads short rows and
renames a duplicated column. Here each of these is an error that names the row.
"""

import csv
import gzip
import zlib
from collections.abc import Iterator
from io import TextIOWrapper
from pathlib import Path
from typing import BinaryIO

import pandas as pd

from core.counts import counted

CHUNK_ROWS = 50_000  # rows that are in memory as Python text at a time
BLANKS = "blanks"
# How files of other formats begin.
GZIP = b"\x1f\x8b"
_ZIP = b"PK\x03\x04"
_PARQUET = b"PAR1"
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_OTHER_SEPARATORS = {
    ";": "semicolons",
    "\t": "tabs",
    "|": "bars",
}


class Damaged(ValueError):
    """The file is incomplete or damaged."""


def read_csv(
    path: Path,
    names: tuple[str, ...] = (),
    separator: str = ",",
    skip: int = 0,
) -> pd.DataFrame:
    """Return the table in a UTF-8 text file, gzipped or not, with every value as text.

    Args:
        names: the columns of a file without a header.
        separator: one character, or `blanks` for any run of white space (nothing is
            quoted then).
        skip: the number of lines before the header, or before the first row.

    Raises:
        ValueError: the file is not such a text, a column has no name or the name of
            another, or a row has more or fewer values than there are columns.
    """
    with path.open("rb") as file:
        text = TextIOWrapper(_content(file), encoding="utf-8-sig", newline="")
        records = _records(text, separator, skip)
        try:
            header = list(names)
            if not header:
                _, header = next(records, (0, []))
            _check_header(header)
            chunks = []
            for rows in _chunks(records, header):
                chunks.append(_frame(rows, header))
        except UnicodeDecodeError as error:
            raise ValueError(
                f"is not UTF-8 text ({error.reason}); save it as UTF-8"
            ) from error
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise Damaged(f"is not a complete gzipped CSV ({error})") from error
    if not chunks:
        return _frame([], header)
    return pd.concat(chunks, ignore_index=True)


def _content(file: BinaryIO) -> BinaryIO:
    """Return the file's content, uncompressed."""
    start = file.read(4)
    file.seek(0)
    if start.startswith(_UTF16):
        raise ValueError("is UTF-16 text; save it as UTF-8")
    if start.startswith(_ZIP):
        raise ValueError("is a zip archive; unpack it")
    if start.startswith(_PARQUET):
        raise ValueError("is a Parquet file; give it the suffix .parquet")
    if start.startswith(GZIP):
        return gzip.open(file)  # type: ignore[return-value]
    return file


def _records(
    text: TextIOWrapper, separator: str, skip: int
) -> Iterator[tuple[int, list[str]]]:
    """Yield each line's number, counted from 1, and its values; skip blank lines."""
    for _ in range(skip):
        text.readline()
    if separator == BLANKS:
        for number, line in enumerate(text, start=skip + 1):
            values = line.split()
            if values:
                yield number, values
        return
    reader = csv.reader(text, delimiter=separator, strict=True)
    while True:
        try:
            values = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            line_number = skip + reader.line_num
            raise ValueError(f"line {line_number}: {error}") from error
        if values:
            yield skip + reader.line_num, values


def _check_header(header: list[str]) -> None:
    if not header:
        raise ValueError("is empty; use the complete file")
    for separator, name in _OTHER_SEPARATORS.items():
        if len(header) == 1 and separator in header[0]:
            raise ValueError(f"separates its values by {name}; use commas instead")
    for place, name in enumerate(header, start=1):
        if not name.strip():
            raise ValueError(
                f"column {place} has no name; name it, or remove it if it is an"
                " index"
            )
        if header.count(name) > 1:
            raise ValueError(f"has the column {name} twice; remove one of them")


def _chunks(
    records: Iterator[tuple[int, list[str]]], header: list[str]
) -> Iterator[list[list[str]]]:
    """Yield the rows in pieces, each row with as many values as there are columns."""
    rows: list[list[str]] = []
    width = len(header)
    for number, (line, values) in enumerate(records, start=1):
        if len(values) != width:
            raise ValueError(
                f"row {number} (line {line}) has {counted(len(values), 'value')} for"
                f" {counted(width, 'column')}; correct the row or leave it out"
            )
        rows.append(values)
        if len(rows) == CHUNK_ROWS:
            yield rows
            rows = []
    if rows:
        yield rows


def _frame(rows: list[list[str]], header: list[str]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=header, dtype="str")
