"""The canonical text of tables."""

import gzip
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.data import table as tables
from pipeline.errors import PipelineError


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


@pytest.mark.parametrize(
    "content", [b"no gzip", gzip.compress(b"a,b\n1,2\n" * 99, mtime=0)[:-9], b""]
)
def test_a_damaged_file_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "t.csv.gz").write_bytes(content)
    with pytest.raises(PipelineError, match=r"t\.csv\.gz: .*git checkout"):
        tables.read(tmp_path / "t.csv.gz")
