"""Parquet's own types, and what they become."""

import datetime as dt
import decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.data.read_parquet import read_parquet

ZONE = dt.timezone(dt.timedelta(hours=2))
EVENING = dt.datetime(2024, 4, 3, 23, 30, tzinfo=ZONE)


@pytest.mark.parametrize(
    ("values", "kind", "read"),
    [
        ([1, 2], pa.int64(), [1, 2]),
        ([1, 2], pa.uint8(), [1, 2]),
        ([0.5, 2.0], pa.float32(), [0.5, 2.0]),
        ([decimal.Decimal("1.50")], pa.decimal128(5, 2), [1.5]),
        ([True, False], pa.bool_(), [True, False]),
        (["a", "007"], pa.string(), ["a", "007"]),
        (["a", "007"], pa.large_string(), ["a", "007"]),
        (["a", "a"], pa.dictionary(pa.int8(), pa.string()), ["a", "a"]),
        ([dt.date(2024, 4, 3)], pa.date32(), ["2024-04-03"]),
        (
            [dt.datetime(2024, 4, 3, 12, 30)],
            pa.timestamp("ns"),
            ["2024-04-03 12:30:00"],
        ),
        ([EVENING], pa.timestamp("us", "+02:00"), ["2024-04-03 23:30:00"]),
    ],
)
def test_a_column_of_each_type_is_read(
    tmp_path: Path,
    values: list[Any],
    kind: Any,
    read: list[Any],
) -> None:
    path = tmp_path / "table.parquet"
    column = pa.array(values, kind)
    pq.write_table(pa.table({"a": column}), path)
    table = read_parquet(path)
    assert table["a"].tolist() == read


def test_an_index_is_a_column_like_the_others(tmp_path: Path) -> None:
    path = tmp_path / "table.parquet"
    index = pd.Index([7, 8], name="id")
    table = pd.DataFrame({"a": [1, 2]}, index=index)
    table.to_parquet(path)
    read = read_parquet(path)
    assert list(read.columns) == ["a", "id"]


@pytest.mark.parametrize(
    "value",
    [
        [1, 2],
        {"b": 1},
        b"raw",
        dt.time(12),
        None,
    ],
)
def test_another_type_is_refused(tmp_path: Path, value: Any) -> None:
    path = tmp_path / "table.parquet"
    pq.write_table(pa.table({"a": [value]}), path)
    message = "column a holds values of the type .*; write numbers"
    with pytest.raises(ValueError, match=message):
        read_parquet(path)


def test_a_repeated_column_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "table.parquet"
    columns = [pa.array([1]), pa.array([2])]
    pq.write_table(pa.table(columns, names=["a", "a"]), path)
    with pytest.raises(ValueError, match="has the column a twice"):
        read_parquet(path)


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "table.parquet"
    pq.write_table(pa.table({"a": [1]}), path)
    whole = path.read_bytes()
    for content in (b"", b"<html>", whole[:-20]):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=r"is not a complete Parquet file \(.*\)$"):
            read_parquet(path)
