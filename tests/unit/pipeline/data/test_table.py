"""The canonical text of tables."""

import gzip
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import PipelineError
from pipeline.data import table as tables


@given(st.floats(allow_nan=False, allow_infinity=False, width=32))
def test_a_number_s_text_read_back_has_the_same_text(value: float) -> None:
    text = tables.text(value)
    assert tables.text(float(text)) == text


def test_zero_has_one_text() -> None:
    assert tables.text(-0.0) == tables.text(0) == "0"


def test_the_same_table_is_the_same_bytes(tmp_path: Path) -> None:
    table = pd.DataFrame({"a": [1.0, 2.5], "b": ["x", "y"]})
    first = tmp_path / "1.csv.gz"
    second = tmp_path / "2.csv.gz"
    tables.write(first, table)
    tables.write(second, table.copy())
    content = first.read_bytes()
    assert content == second.read_bytes()
    assert gzip.decompress(content) == b"a,b\n1,x\n2.5,y\n"
    read = tables.read(first)
    assert read["a"].to_list() == ["1", "2.5"]
    assert read["b"].to_list() == ["x", "y"]
    assert len(read.columns) == 2


CELLS = st.tuples(
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(st.characters(codec="utf-8")),
    st.integers(-(2**53), 2**53),
)


@given(st.lists(CELLS, min_size=1, max_size=5))
def test_the_canonical_csv_equals_that_of_pandas(
    cells: list[tuple[float, str, int]],
) -> None:
    table = pd.DataFrame(cells, columns=["a", "b", "c"])
    texts = []
    for row in cells:
        texts.append([tables.text(value) for value in row])
    text_table = pd.DataFrame(texts, columns=table.columns)
    written = text_table.to_csv(index=False, lineterminator="\n")
    assert tables.to_csv(table) == written.encode()


@given(st.permutations(range(6)), st.lists(CELLS, min_size=6, max_size=6))
def test_the_digest_of_rows_does_not_depend_on_their_order(
    order: list[int], cells: list[tuple[float, str, int]]
) -> None:
    table = pd.DataFrame(cells, columns=["a", "b", "c"])
    other = table.iloc[order]
    digest = tables.rows_digest(table)
    assert tables.rows_digest(other) == digest
    ordered = tables.ordered(table)
    ordered_other = tables.ordered(other)
    assert tables.digest(ordered_other) == tables.digest(ordered)
    fewer = table.iloc[:5]
    assert tables.rows_digest(fewer) != digest


WHOLE = gzip.compress(b"a,b\n1,2\n" * 99, mtime=0)


@pytest.mark.parametrize(
    "content",
    [
        b"no gzip",
        WHOLE[:-9],
        b"",
    ],
)
def test_a_damaged_file_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "t.csv.gz"
    path.write_bytes(content)
    with pytest.raises(PipelineError, match=r"t\.csv\.gz: .*git checkout"):
        tables.read(path)


def test_a_row_that_does_not_fit_is_named_with_advice_for_a_new_file(
    tmp_path: Path,
) -> None:
    path = tmp_path / "t.csv.gz"
    content = gzip.compress(b"a,b\n1,2\n1,2,3\n")
    path.write_bytes(content)
    with pytest.raises(PipelineError) as caught:
        tables.read(path)
    message = str(caught.value)
    assert message == (
        f"{path}: row 2 (line 3) has 3 values for 2 columns; correct the row or"
        " leave it out, and add the table with `pipeline data add`."
    )
