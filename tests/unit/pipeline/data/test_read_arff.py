"""ARFF as Weka and OpenML write it; a file that is only partly understood is refused."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.data.read_arff import read_arff

HEADER = """\
% German credit
@RELATION 'credit g'

@attribute amount real
@ATTRIBUTE 'checking status' { '<0', '0<=X<200', "no checking", none }
@attribute note string

@DATA
"""


def _read(folder: Path, text: str) -> dict[str, list[str]]:
    path = folder / "table.arff"
    path.write_bytes(text.encode())
    frame = read_arff(path)
    table: dict[str, list[str]] = frame.to_dict("list")
    return table


def test_values_are_texts_without_their_quotes(tmp_path: Path) -> None:
    rows = (
        "1.5,'<0','it\\'s, well'\n% a remark\n 2 , none , \"say \\\"hi\\\"\"\n\n?,?,?\n"
    )
    assert _read(tmp_path, HEADER + rows) == {
        "amount": ["1.5", "2", "?"],
        "checking status": ["<0", "none", "?"],
        "note": ["it's, well", 'say "hi"', "?"],
    }
    assert _read(tmp_path, (HEADER + rows).replace("\n", "\r\n"))["amount"] == [
        "1.5",
        "2",
        "?",
    ]


@pytest.mark.parametrize(
    "text, message",
    [
        ("", "is not an ARFF file: it has no @data line"),
        ("<html>\n<body>\n", "is not an ARFF file"),
        (HEADER.replace("@DATA", ""), "is not an ARFF file"),
        (
            HEADER + "1,none\n",
            "row 1 has 2 values for 3 columns; correct the row or leave it out",
        ),
        (HEADER + "1,none,a,b\n", "row 1 has 4 values for 3 columns"),
        (
            HEADER + "1,none,a\n1,nine,a\n",
            "row 2, column checking status: the value 'nine' is not one",
        ),
        (HEADER + "1,none,'a\n", "cannot understand the line"),
        (HEADER + "1,none,'a'b\n", "cannot understand the line"),
        (HEADER + "{0 1, 2 a}\n", "is sparse ARFF; write every value of a row"),
        (HEADER.replace("note", "amount"), "has the column amount twice"),
        (
            HEADER.replace("string", "relational"),
            "attribute note has the unknown type relational",
        ),
        ("@attribute a\n@data\n", "cannot understand the line '@attribute a'"),
        ("@relation a\n@data\n1\n", "has no attributes"),
    ],
)
def test_an_incomplete_table_is_refused(
    tmp_path: Path, text: str, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        _read(tmp_path, text)


def test_another_encoding_is_refused(tmp_path: Path) -> None:
    (tmp_path / "table.arff").write_bytes(
        HEADER.encode() + "1,none,é\n".encode("latin-1")
    )
    with pytest.raises(ValueError, match="is not UTF-8 text"):
        read_arff(tmp_path / "table.arff")


# Line ends are no part of a value in ARFF.
TEXTS = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Zl", "Zp"]), min_size=1
)


@given(st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=4))
def test_a_written_table_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]]
) -> None:
    def quoted(value: str) -> str:
        escaped = value.replace("\\", "\\\\").replace("'", "\\'")
        return f"'{escaped}'"

    lines = [",".join(map(quoted, row)) for row in rows]
    path = tmp_path_factory.getbasetemp() / "written.arff"
    header = "@relation r\n@attribute a string\n@attribute b string\n@data\n"
    data = "\n".join(lines)
    path.write_text(f"{header}{data}\n", "utf-8", newline="\n")
    read_rows = read_arff(path).itertuples(index=False, name=None)
    assert list(read_rows) == rows
