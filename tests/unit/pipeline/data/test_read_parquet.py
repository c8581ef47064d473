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

NOON = dt.datetime(2024, 4, 3, 23, 30, tzinfo=dt.timezone(dt.timedelta(hours=2)))


@pytest.mark.parametrize(
    "values, kind, read",
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
        ([NOON], pa.timestamp("us", "+02:00"), ["2024-04-03 23:30:00"]),
    ],
)
def test_a_column_of_a_type(
    tmp_path: Path, values: list[Any], kind: Any, read: list[Any]
) -> None:
    path = tmp_path / "table.parquet"
    pq.write_table(pa.table({"a": pa.array(values, kind)}), path)
    assert read_parquet(path)["a"].tolist() == read


def test_an_index_is_a_column_like_the_others(tmp_path: Path) -> None:
    table = pd.DataFrame({"a": [1, 2]}, index=pd.Index([7, 8], name="id"))
    table.to_parquet(tmp_path / "table.parquet")
    assert list(read_parquet(tmp_path / "table.parquet").columns) == ["a", "id"]


@pytest.mark.parametrize(
    "values", [[[1, 2]], [{"b": 1}], [b"raw"], [dt.time(12)], [None]]
)
def test_a_type_with_no_one_meaning_is_refused(
    tmp_path: Path, values: list[Any]
) -> None:
    path = tmp_path / "table.parquet"
    pq.write_table(pa.table({"a": values}), path)
    with pytest.raises(
        ValueError, match="column a holds values of the type .*; write numbers"
    ):
        read_parquet(path)


def test_a_damaged_file_and_a_column_twice_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "table.parquet"
    pq.write_table(pa.table([pa.array([1]), pa.array([2])], names=["a", "a"]), path)
    with pytest.raises(ValueError, match="has the column a twice"):
        read_parquet(path)
    for content in (b"", b"<html>", path.read_bytes()[:-20]):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=r"is not a complete Parquet file \(.*\)$"):
            read_parquet(path)
