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
    tables.write(tmp_path / "1.csv.gz", table)
    tables.write(tmp_path / "2.csv.gz", table.copy())
    assert (tmp_path / "1.csv.gz").read_bytes() == (tmp_path / "2.csv.gz").read_bytes()
    assert gzip.decompress((tmp_path / "1.csv.gz").read_bytes()) == b"a,b\n1,x\n2.5,y\n"
    assert tables.read(tmp_path / "1.csv.gz").to_dict("list") == {
        "a": ["1", "2.5"],
        "b": ["x", "y"],
    }


CELLS = st.tuples(
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(st.characters(codec="utf-8")),
    st.integers(-(2**53), 2**53),
)


@given(st.lists(CELLS, min_size=1, max_size=5))
def test_the_canonical_csv_is_what_pandas_writes_of_the_texts(
    cells: list[tuple[float, str, int]],
) -> None:
    table = pd.DataFrame(cells, columns=["a", "b", "c"])
    texts = [[tables.text(value) for value in row] for row in cells]
    written = pd.DataFrame(texts, columns=table.columns).to_csv(
        index=False, lineterminator="\n"
    )
    assert tables.to_csv(table) == written.encode()


@given(st.permutations(range(6)), st.lists(CELLS, min_size=6, max_size=6))
def test_the_order_of_rows_is_no_matter_to_the_digest_of_rows(
    order: list[int], cells: list[tuple[float, str, int]]
) -> None:
    table = pd.DataFrame(cells, columns=["a", "b", "c"])
    other = table.iloc[order]
    assert tables.rows_digest(other) == tables.rows_digest(table)
    assert tables.digest(tables.ordered(other)) == tables.digest(tables.ordered(table))
    fewer = table.iloc[:5]
    assert tables.rows_digest(fewer) != tables.rows_digest(table)


@pytest.mark.parametrize(
    "content", [b"no gzip", gzip.compress(b"a,b\n1,2\n" * 99, mtime=0)[:-9], b""]
)
def test_a_damaged_file_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "t.csv.gz").write_bytes(content)
    with pytest.raises(PipelineError, match=r"t\.csv\.gz: .*git checkout"):
        tables.read(tmp_path / "t.csv.gz")


def test_a_row_that_does_not_fit_is_named_with_advice_for_a_new_file(
    tmp_path: Path,
) -> None:
    path = tmp_path / "t.csv.gz"
    path.write_bytes(gzip.compress(b"a,b\n1,2\n1,2,3\n"))
    with pytest.raises(PipelineError) as caught:
        tables.read(path)
    assert (
        str(caught.value)
        == f"{path}: row 2 (line 3) has 3 values for 2 columns; correct the row or"
        " leave it out, and add the table with `pipeline data add`."
    )
