"""The files of the served folder: written in the API's order, and nothing else touched."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import PipelineError, UsageError
from pipeline.reconcile.served_files import (
    ORDER,
    Files,
    ServedFolder,
    changed_tasks,
    manifests,
)

places = st.tuples(
    st.sampled_from(["credit", "housing", "iris"]), st.sampled_from(ORDER)
)
files = st.dictionaries(places.map("/".join), st.binary(max_size=3))


@settings(max_examples=30)
@given(files, files)
def test_any_folder_becomes_what_is_wanted(present: Files, wanted: Files) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = ServedFolder(Path(name))
        folder.write(present)
        assert folder.read() == present
        different = folder.differences(wanted)
        folder.write(wanted)
        assert folder.read() == wanted
        assert folder.differences(wanted) == []
    for place in present.keys() | wanted.keys():
        is_different = present.get(place) != wanted.get(place)
        assert (place in different) == is_different


def test_equal_files_and_those_of_others_are_not_touched(tmp_path: Path) -> None:
    folder = ServedFolder(tmp_path)
    wanted = {"iris/model.onnx": b"1", "iris/manifest.json": b"{}"}
    folder.write(wanted | {"old/model.onnx": b"0"})
    (tmp_path / "iris" / "notes.txt").write_text("mine")
    (tmp_path / ".gitkeep").touch()
    before = (tmp_path / "iris" / "model.onnx").stat()
    folder.write(wanted | {"iris/manifest.json": b"{ }"})
    after = (tmp_path / "iris" / "model.onnx").stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)
    assert (tmp_path / "iris" / "notes.txt").read_text("utf-8") == "mine"
    assert (tmp_path / ".gitkeep").exists()
    assert not (tmp_path / "old").exists()


def test_the_tasks_that_change_are_known_by_their_files() -> None:
    before = {
        "iris/model.onnx": b"1",
        "iris/manifest.json": b"{}",
        "a/model.onnx": b"",
    }
    after = before | {"iris/manifest.json": b"{ }", "new/model.onnx": b"2"}
    assert changed_tasks(before, after) == {"iris", "new"}
    assert changed_tasks(before, before) == set()


def test_a_missing_folder_and_a_damaged_manifest_are_one_sentence(
    tmp_path: Path,
) -> None:
    with pytest.raises(UsageError, match="is no folder: name the one that the API"):
        ServedFolder(tmp_path / "nowhere").require()
    with pytest.raises(PipelineError, match="^iris/manifest.json: format: Field"):
        manifests({"iris/manifest.json": b"{}"})
