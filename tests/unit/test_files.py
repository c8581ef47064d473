"""Atomic writes, canonical JSON and paths that stay inside."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import PipelineError
from pipeline.files import inside, replacing, to_json, write_atomic
from tests.conftest import posix

TEXT = st.text(max_size=8)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda children: st.lists(children, max_size=4) | st.dictionaries(TEXT, children, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(TEXT, VALUES, max_size=4))
def test_json_comes_back_as_it_was_and_has_one_form(value: dict[str, object]) -> None:
    text = to_json(value)
    assert json.loads(text) == value
    assert to_json(json.loads(text)) == text
    assert text.endswith("}\n") and not text.endswith("\n\n")


def test_json_breaks_two_levels_into_lines() -> None:
    text = to_json({"b": {"y": [[1, 2], [3, 4]]}, "a": [{"k": 1}], "c": {}})
    assert (
        text == '{\n "a": [\n  {"k": 1}\n ],\n "b": {\n  "y": [[1, 2], [3, 4]]\n },\n "c": {}\n}\n'
    )


def test_nan_is_no_json() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        to_json({"value": float("nan")})


def test_a_write_that_fails_leaves_the_old_content_and_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "folder" / "file.txt"
    write_atomic(target, "old")
    with pytest.raises(RuntimeError):
        with replacing(target) as temporary:
            temporary.write_text("half")
            raise RuntimeError
    assert target.read_text() == "old"
    assert list(target.parent.iterdir()) == [target]


@pytest.mark.parametrize("path", ["../x", "/etc/passwd", "a/../../x", "C:/x", "a\\b", "", "."])
def test_a_path_that_climbs_out_is_refused(tmp_path: Path, path: str) -> None:
    with pytest.raises(PipelineError, match="leads out of the folder"):
        inside(tmp_path, path)


@posix
def test_a_link_that_leads_out_is_refused(tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "link").symlink_to(tmp_path)
    with pytest.raises(PipelineError, match="leads out"):
        inside(tmp_path / "root", "link/x")


def test_a_path_inside_is_joined(tmp_path: Path) -> None:
    assert inside(tmp_path, "plots/roc.svg") == tmp_path / "plots" / "roc.svg"
