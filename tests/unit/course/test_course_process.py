"""Programs of a copy: bounded in time, memory and output, and without our secrets."""

import sys
import time
from pathlib import Path

import pytest

from course.grading import process
from tests.conftest import posix


def python(folder: Path, code: str, seconds: float = 20.0) -> process.Outcome:
    return process.run([sys.executable, "-c", code], folder, seconds)


def test_output_and_status_are_returned(tmp_path: Path) -> None:
    code = "import sys; print('one'); print('two', file=sys.stderr); sys.exit(3)"
    outcome = python(tmp_path, code)
    assert outcome.status == 3
    assert sorted(outcome.output.split()) == ["one", "two"]
    assert not outcome.succeeded


def test_a_program_without_end_is_stopped(tmp_path: Path) -> None:
    start = time.monotonic()
    outcome = python(tmp_path, "while True: pass", 1.0)
    assert time.monotonic() - start < 15
    assert outcome.status is None
    assert outcome.reason == "it did not end in time"


@posix
def test_what_a_program_started_ends_with_it(tmp_path: Path) -> None:
    code = (
        "import subprocess, sys\n"
        "child = 'import time, pathlib; time.sleep(2);"
        ' pathlib.Path("alive").write_text("")\'\n'
        "subprocess.Popen([sys.executable, '-c', child])\n"
    )
    assert python(tmp_path, code).succeeded
    time.sleep(3)
    assert list(tmp_path.iterdir()) == []


@posix
def test_memory_and_files_are_bounded(tmp_path: Path) -> None:
    assert not python(tmp_path, f"b'x' * {process.MEMORY_BYTES}").succeeded
    code = (
        "with open('large', 'wb') as stream:\n"
        f"    stream.truncate({process.FILE_BYTES + 1})\n"
    )
    assert not python(tmp_path, code).succeeded


def test_only_the_end_of_the_output_is_read(tmp_path: Path) -> None:
    outcome = python(tmp_path, "print('x' * 3_000_000); print('error: the end')")
    assert len(outcome.output) <= process.OUTPUT_BYTES
    assert outcome.reason == "the end"


def test_a_program_does_not_see_our_secrets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOME_TOKEN", "secret")
    code = "import os; print(os.environ.get('SOME_TOKEN'), os.path.expanduser('~'))"
    text = python(tmp_path, code).output
    token, home = text.split(maxsplit=1)
    assert token == "None"
    assert Path(home.strip()) != Path.home()
