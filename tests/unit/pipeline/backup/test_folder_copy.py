"""Folders are copied as of one moment while others write to them, and come back."""

import io
import os
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeline.backup import folder_copy
from tests.support.files import files_below


def is_file_name(name: str) -> bool:
    """Return whether every system has a file of this name: Windows drops last dots."""
    return not name.endswith(".")


NAMES = st.text("abc_.-", min_size=1, max_size=6).filter(is_file_name)
PATHS = st.lists(NAMES, min_size=1, max_size=3).map("/".join)
CREATE = "CREATE TABLE counts (name TEXT PRIMARY KEY, value INTEGER)"


def write_files(folder: Path, files: dict[str, bytes]) -> dict[str, bytes]:
    """Write files below a folder; return those that have a place there."""
    written = {}
    folder.mkdir(exist_ok=True)
    for path, content in files.items():
        target = folder / path
        if target.exists() or any(parent.is_file() for parent in target.parents):
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
        written[path] = content
    return written


def packed(folder: Path, *only: str) -> io.BytesIO:
    """Return the archive of a folder."""
    stream = io.BytesIO()
    folder_copy.pack(folder, stream, only)
    stream.seek(0)
    return stream


@settings(max_examples=25, deadline=None)
@given(st.dictionaries(PATHS, st.binary(max_size=50), max_size=6))
@example({"a.db": b"SQLite format 3\0 and no database"})
def test_any_files_come_back(
    tmp_path_factory: pytest.TempPathFactory, files: dict[str, bytes]
) -> None:
    folder = tmp_path_factory.mktemp("copied")
    written = write_files(folder / "here", files)
    folder_copy.unpack(folder / "there", packed(folder / "here"))
    assert files_below(folder / "there") == written


@pytest.mark.parametrize("mode", ["wal", "delete"])
def test_a_database_is_copied_as_of_one_moment(tmp_path: Path, mode: str) -> None:
    folder = tmp_path / "here"
    folder.mkdir()
    path = folder / "log.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA journal_mode = {mode}")
        connection.execute(CREATE)
        connection.execute("INSERT INTO counts VALUES ('one', 0), ('two', 0)")
        connection.commit()
    stop = threading.Event()
    wrote = threading.Event()

    def write() -> None:
        with closing(sqlite3.connect(path, timeout=30)) as connection:
            while not stop.is_set():
                for name in ("one", "two"):  # one transaction: they are always equal
                    change = "UPDATE counts SET value = value + 1 WHERE name = ?"
                    connection.execute(change, [name])
                connection.commit()
                wrote.set()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        wrote.wait()
        archives = [packed(folder) for _ in range(5)]
    finally:
        stop.set()
        writer.join()
    for number, archive in enumerate(archives):
        target = tmp_path / str(number)
        folder_copy.unpack(target, archive)
        assert [file.name for file in target.iterdir()] == ["log.db"]
        with closing(sqlite3.connect(target / "log.db")) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            rows = connection.execute("SELECT value FROM counts").fetchall()
        one, two = rows
        assert one == two > (0,)


def test_only_what_is_named_is_copied_and_counts(tmp_path: Path) -> None:
    folder = tmp_path / "here"
    files = {
        "kept.db": b"1",
        "other": b"2",
        ".gitkeep": b"",
    }
    write_files(folder, files)
    there = tmp_path / "there"
    folder_copy.unpack(there, packed(folder, "kept.db"))
    assert files_below(there) == {"kept.db": b"1"}
    assert not folder_copy.is_empty(folder, ["kept.db"])
    assert folder_copy.is_empty(folder, ["absent"])
    assert folder_copy.is_empty(tmp_path / "absent")
    (there / "kept.db").unlink()
    (there / ".gitkeep").touch()
    assert folder_copy.is_empty(there)


def test_links_are_left_out(tmp_path: Path) -> None:
    folder = tmp_path / "here"
    write_files(folder, {"file": b"1"})
    try:
        os.symlink(tmp_path, folder / "link")
    except OSError:
        pytest.skip("this user may not create symbolic links")
    there = tmp_path / "there"
    folder_copy.unpack(there, packed(folder))
    assert files_below(there) == {"file": b"1"}


def test_the_file_alone_is_a_program(tmp_path: Path) -> None:
    # A container runs its text without our packages.
    folder = tmp_path / "here"
    write_files(folder, {"a/file": b"1"})
    text = Path(folder_copy.__file__).read_text("utf-8")
    program = [sys.executable, "-I", "-S", "-c", text]
    archive = subprocess.check_output([*program, "pack", folder])
    there = tmp_path / "there"
    subprocess.run([*program, "unpack", there], input=archive, check=True)
    assert files_below(there) == {"a/file": b"1"}
    check = subprocess.run([*program, "check", there], check=False)
    assert check.returncode == folder_copy.NOT_EMPTY
    failed = subprocess.run(
        [*program, "unpack", there], input=b"no archive", capture_output=True
    )
    assert failed.returncode == 1
    assert failed.stderr
    assert b"Traceback" not in failed.stderr
