"""Atomic writes and canonical JSON."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.files import emptied, replacing, to_json, write_atomic

TEXT = st.text(max_size=8)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda children: st.lists(children, max_size=4)
    | st.dictionaries(TEXT, children, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(TEXT, VALUES, max_size=4))
def test_json_comes_back_as_it_was_and_has_one_form(value: dict[str, object]) -> None:
    text = to_json(value)
    assert json.loads(text) == value
    assert to_json(json.loads(text)) == text
    assert text.endswith("}\n")


def test_json_breaks_two_levels_into_lines() -> None:
    value = {
        "b": {"y": [[1, 2], [3, 4]]},
        "a": [{"k": 1}],
        "c": {},
    }
    assert to_json(value).splitlines() == [
        "{",
        ' "a": [',
        '  {"k": 1}',
        " ],",
        ' "b": {',
        '  "y": [[1, 2], [3, 4]]',
        " },",
        ' "c": {}',
        "}",
    ]


def test_nan_is_not_json() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        to_json({"value": float("nan")})


def test_a_write_that_fails_leaves_the_old_content_and_nothing_else(
    tmp_path: Path,
) -> None:
    target = tmp_path / "folder" / "file.txt"
    write_atomic(target, "old")
    with pytest.raises(RuntimeError):
        with replacing(target) as temporary:
            temporary.write_text("half")
            raise RuntimeError
    assert target.read_text("utf-8") == "old"
    assert list(target.parent.iterdir()) == [target]


def test_an_earlier_folder_with_read_only_files_is_deleted(tmp_path: Path) -> None:
    """Git makes its objects read-only, and Windows deletes no such file."""
    objects = tmp_path / "work" / "objects"
    objects.mkdir(parents=True)
    (objects / "blob").touch()
    (objects / "blob").chmod(0o444)
    with emptied(tmp_path / "work") as work:
        assert list(work.iterdir()) == []
    assert list(tmp_path.iterdir()) == []
