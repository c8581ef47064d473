"""A reader for Parquet files whose columns hold numbers, texts, dates or times."""

from collections.abc import Callable, Iterable
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pyarrow.types as types
from pyarrow import compute

Predicate = Callable[[pa.DataType], bool]

_NUMBERS = (
    types.is_boolean,
    types.is_integer,
    types.is_floating,
)
_TEXTS = (
    types.is_string,
    types.is_large_string,
    types.is_string_view,
    types.is_date,
)


def read_parquet(path: Path) -> pd.DataFrame:
    """Return the table in a Parquet file; dates and times become ISO text.

    Raises:
        ValueError: the file is not a complete Parquet file, or a column holds values of
            another type.
    """
    try:
        # Opened here, because pyarrow raises errors of its own for a missing file.
        with path.open("rb") as file:
            table = pq.ParquetFile(file).read()
    except pa.ArrowException as error:
        reason = " ".join(str(error).split())
        raise ValueError(f"is not a complete Parquet file ({reason})") from error
    names = table.column_names
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"has the column {name} twice; remove one of them")
    # Column by column: as a whole, pandas' metadata would turn some into an index.
    columns = {}
    for name in names:
        column = table.column(name)
        columns[name] = _plain(column, name)
    return pd.DataFrame(columns)


def _is_one_of(kind: pa.DataType, predicates: Iterable[Predicate]) -> bool:
    return any(fits(kind) for fits in predicates)


def _plain(column: pa.ChunkedArray, name: str) -> pd.Series:
    kind = column.type
    if types.is_dictionary(kind):
        decoded = column.cast(kind.value_type)
        return _plain(decoded, name)
    if types.is_timestamp(kind):
        # The time of day in its own zone, without the zone: `2024-04-03 12:30:00`.
        local = compute.local_timestamp(column) if kind.tz else column
        column = local.cast(pa.timestamp("s"), safe=False)
    elif types.is_decimal(kind):
        column = column.cast(pa.float64())
    elif not _is_one_of(kind, _NUMBERS + _TEXTS):
        raise ValueError(
            f"column {name} holds values of the type {kind}; write numbers, texts or"
            " dates"
        )
    if types.is_timestamp(kind) or _is_one_of(kind, _TEXTS):
        column = column.cast(pa.string())
    plain: pd.Series = column.to_pandas()
    return plain
