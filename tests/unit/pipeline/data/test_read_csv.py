"""A CSV file is read completely, every value under its own header, or refused with the
reason.
"""

import csv
import gzip
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.data.read_csv import CHUNK_ROWS, read_csv

ROWS = {"size": ["1.5", "2"], "colour": ["red", "007"]}
PLAIN = b"size,colour\n1.5,red\n2,007\n"

SAME = {
    "as it is": PLAIN,
    "byte order mark": b"\xef\xbb\xbf" + PLAIN,
    "Windows' line ends": PLAIN.replace(b"\n", b"\r\n"),
    "old Mac's line ends": PLAIN.replace(b"\n", b"\r"),
    "no line end at the end": PLAIN.rstrip(b"\n"),
    "blank lines between": PLAIN.replace(b"\n", b"\n\n"),
    "quoted": b'"size","colour"\n"1.5","red"\n"2","007"\n',
    "gzipped": gzip.compress(PLAIN, mtime=0),
    "gzipped in two pieces": gzip.compress(PLAIN[:20], mtime=0)
    + gzip.compress(PLAIN[20:]),
}

AS_TEXT = {
    "not a number": (
        "size,colour\nNaN,NA\n,null\n",
        {"size": ["NaN", ""], "colour": ["NA", "null"]},
    ),
    "truth values": (
        "size,colour\nTrue,false\n",
        {"size": ["True"], "colour": ["false"]},
    ),
    "leading zeros": (
        "size,colour\n007,00.50\n",
        {"size": ["007"], "colour": ["00.50"]},
    ),
    "blanks": ("size,colour\n 1 , red\n", {"size": [" 1 "], "colour": [" red"]}),
    "a comma in quotes": (
        'size,colour\n"1,5","a,b"\n',
        {"size": ["1,5"], "colour": ["a,b"]},
    ),
    "quotes in quotes": (
        'size,colour\n1,"say ""hi"""\n',
        {"size": ["1"], "colour": ['say "hi"']},
    ),
    "a line in quotes": (
        'size,colour\n1,"a\nb"\n',
        {"size": ["1"], "colour": ["a\nb"]},
    ),
    "NUL": ("size,colour\n1\0,red\n", {"size": ["1\0"], "colour": ["red"]}),
    "other letters": ("size,colour\n٥,żółty\n", {"size": ["٥"], "colour": ["żółty"]}),
    "other order": ("colour,size\nred,1\n", {"colour": ["red"], "size": ["1"]}),
    "no rows": ("size,colour\n", {"size": [], "colour": []}),
}

REFUSED = {
    "empty": (b"", "is empty; use the complete file"),
    "a value too many": (
        b"a,b\n1,2\n1,2,3\n",
        r"row 2 \(line 3\) has 3 values for 2 columns; corr",
    ),
    "a value too many everywhere": (
        b"a,b\n1,2,3\n4,5,6\n",
        r"row 1 \(line 2\) has 3 values for 2",
    ),
    "a value too few": (
        b"a,b\n1,2\n\n1\n",
        r"row 2 \(line 4\) has 1 value for 2 columns",
    ),
    "a comma at the end of rows": (b"a,b\n1,2,\n", "row 1 .* has 3 values"),
    "column twice": (
        b"a,b,a\n1,2,3\n",
        "has the column a twice; remove one of them",
    ),
    "index without a name": (
        b",a\n0,1\n",
        "column 1 has no name; name it, or remove it if it",
    ),
    "semicolons": (
        b"a;b\n1;2\n",
        "separates its values by semicolons; use commas",
    ),
    "semicolons and decimal commas": (
        b"a;b\n1,5;2,5\n",
        "separates its values by semicolons",
    ),
    "tabs": (b"a\tb\n1\t2\n", "separates its values by tabs"),
    "a separator line": (b"sep=,\na,b\n1,2\n", "column 2 has no name"),
    "a quote that stays open": (b'a,b\n1,"2\n3,4\n', "line 3: unexpected end of data"),
    "text after a quote": (b'a,b\n1,"2"3\n', "line 2: ',' expected after '\"'"),
    "Latin-1": (
        "a,b\n1,é\n".encode("latin-1"),
        "is not UTF-8 text .*; save it as UTF-8",
    ),
    "UTF-16": ("a,b\n1,2\n".encode("utf-16"), "is UTF-16 text; save it as UTF-8"),
    "zip": (b"PK\x03\x04rest", "is a zip archive; unpack it"),
    "Parquet": (b"PAR1rest", "is a Parquet file; give it the suffix .parquet"),
    "half a gzip": (gzip.compress(PLAIN * 9)[:-9], "is not a complete gzipped CSV"),
    "damaged gzip": (
        gzip.compress(PLAIN * 9)[:20] + b"?" * 30,
        "is not a complete gzipped CSV",
    ),
    "more after the gzip": (
        gzip.compress(PLAIN) + b"more",
        "is not a complete gzipped CSV",
    ),
}


def _read(folder: Path, content: bytes) -> pd.DataFrame:
    path = folder / "table.csv"
    path.write_bytes(content)
    return read_csv(path)


@pytest.mark.parametrize("content", SAME.values(), ids=SAME)
def test_the_same_rows_are_the_same_table(tmp_path: Path, content: bytes) -> None:
    assert _read(tmp_path, content).to_dict("list") == ROWS


@pytest.mark.parametrize("content, rows", AS_TEXT.values(), ids=AS_TEXT)
def test_every_value_is_read_as_text(
    tmp_path: Path, content: str, rows: dict[str, list[str]]
) -> None:
    assert _read(tmp_path, content.encode()).to_dict("list") == rows


@pytest.mark.parametrize("content, message", REFUSED.values(), ids=REFUSED)
def test_a_file_that_cannot_be_read_completely_is_refused(
    tmp_path: Path, content: bytes, message: str
) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        _read(tmp_path, content)
    assert "\n" not in str(caught.value)


def test_a_file_without_a_header_and_with_lines_to_skip(tmp_path: Path) -> None:
    path = tmp_path / "table.txt"
    path.write_bytes(b"About\r\nthe table\r\n  1.5   red\r\n 2 007 \r\n")
    table = read_csv(path, ("size", "colour"), "blanks", skip=2)
    assert table.to_dict("list") == ROWS
    path.write_bytes(b"1.5 red\n2 007 blue\n")
    with pytest.raises(
        ValueError, match=r"row 2 \(line 2\) has 3 values for 2 columns"
    ):
        read_csv(path, ("size", "colour"), "blanks")


def test_the_row_is_named_after_the_first_chunk(tmp_path: Path) -> None:
    rows = CHUNK_ROWS + 2
    content = b"a,b\n" + b"1,2\n" * rows
    assert len(_read(tmp_path, content)) == rows
    with pytest.raises(
        ValueError, match=rf"row {rows + 1} \(line {rows + 2}\) has 1 value"
    ):
        _read(tmp_path, b"a,b\n" + b"1,2\n" * rows + b"1\n")


TEXTS = st.text(st.characters(codec="utf-8"))
NOT_BLANK = TEXTS.filter(str.strip)
NAMES = st.lists(NOT_BLANK, min_size=2, max_size=4, unique=True)


@given(st.data())
def test_a_written_table_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    names = data.draw(NAMES)
    values = [TEXTS] * len(names)
    rows = data.draw(st.lists(st.tuples(*values), max_size=4))
    path = tmp_path_factory.getbasetemp() / "written.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, quoting=csv.QUOTE_ALL).writerows([names, *rows])
    table = read_csv(path)
    assert list(table.columns) == names
    assert list(table.itertuples(index=False, name=None)) == rows
