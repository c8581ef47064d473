"""Reading Parquet: the file's own columns, and only types with one meaning as a table's
value.
"""

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pyarrow.types as types
from pyarrow import compute

_PLAIN = (types.is_boolean, types.is_integer, types.is_floating)
_TEXTS = (types.is_string, types.is_large_string, types.is_string_view, types.is_date)


def read_parquet(path: Path) -> pd.DataFrame:
    """Return the table in a Parquet file; dates and times are their ISO text.

    Raises:
        ValueError: the file is no whole Parquet file, or a column holds neither numbers
            nor texts nor dates.
    """
    try:
        # Opened here: pyarrow's own error for a file that is not there is of another
        # kind.
        with path.open("rb") as file:
            table = pq.ParquetFile(file).read()
    except pa.ArrowException as error:
        raise ValueError(
            f"is no whole Parquet file ({' '.join(str(error).split())})"
        ) from error
    names = table.column_names
    if twice := [name for name in names if names.count(name) > 1]:
        raise ValueError(f"has the column {twice[0]} twice; leave one of them out")
    # Each column by itself: pandas' metadata would turn some into an index, and drop
    # them.
    columns = [_plain(table.column(name), name) for name in names]
    return pd.DataFrame(dict(zip(names, columns, strict=True)))


def _plain(column: pa.ChunkedArray, name: str) -> pd.Series:
    kind = column.type
    if types.is_dictionary(kind):
        return _plain(column.cast(kind.value_type), name)
    if types.is_timestamp(kind):
        # The time of day in its own zone, without the zone: `2024-04-03 12:30:00`.
        local = compute.local_timestamp(column) if kind.tz else column
        column = local.cast(pa.timestamp("s"), safe=False)
    elif types.is_decimal(kind):
        column = column.cast(pa.float64())
    elif not any(fits(kind) for fits in (*_PLAIN, *_TEXTS)):
        raise ValueError(
            f"column {name} holds values of the type {kind}; write numbers, texts or"
            " dates"
        )
    if types.is_timestamp(kind) or any(fits(kind) for fits in _TEXTS):
        column = column.cast(pa.string())
    plain: pd.Series = column.to_pandas()
    return plain
