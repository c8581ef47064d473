"""The frame that runs what users of other stacks type; `tests/stack` runs the rows
themselves.
"""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.conftest import posix
from tools.documents import environment, report, table
from tools.documents.row import Check, Result, Row, State, comes_with, expect, run
from tools.documents.stack import CannotRun, Failure, Stack


@pytest.fixture
def stack(tmp_path: Path) -> Stack:
    """A stack of which nothing runs."""
    return Stack("local", tmp_path, {"mlops-api": 8123}, {}, "secret")


def row(check: Check | None) -> Row:
    return Row(99, "`typed`", "as typed", check=check)


def test_every_row_is_there_once_and_fits_into_a_table() -> None:
    assert [row.number for row in table.ROWS] == list(range(1, 28))
    for row in table.ROWS:
        assert row.typed and row.here and row.check
        assert not any(
            sign in row.typed + row.here + row.page for sign in "|\n"
        ), row.number


def test_what_a_check_ends_with_is_in_the_result(stack: Stack) -> None:
    def refused(stack: Stack) -> str:
        expect(1 > 2, "it answers 404")
        return "not reached"

    def surprised(stack: Stack) -> str:
        return str({}["task"])

    ends: dict[Check | None, tuple[State, str]] = {
        lambda stack: "seen": (State.WORKS, "seen"),
        refused: (State.FAILED, "it answers 404"),
        surprised: (State.FAILED, "KeyError: 'task'"),
        comes_with("scale"): (State.NOT_RUN, "comes with the issue on scale"),
        None: (State.FAILED, "nothing checks this row"),
    }
    for check, (state, seen) in ends.items():
        result = run(row(check), stack)
        assert (result.state, result.seen) == (state, seen)


def test_a_service_that_does_not_run_is_a_reason_not_to_run(stack: Stack) -> None:
    stack.require("mlops-api")
    with pytest.raises(
        CannotRun, match="grafana does not run: its program is not on this machine"
    ):
        stack.require("grafana")
    with pytest.raises(CannotRun, match="local processes"):
        stack.require_containers()
    replace(stack, mode="containers").require_containers()


def test_usual_addresses_become_those_of_the_stack(stack: Stack) -> None:
    typed = (
        "curl http://localhost:8000/health 127.0.0.1:8000 localhost:9090 localhost:1"
        " example:8000"
    )
    moved = (
        "curl http://localhost:8123/health 127.0.0.1:8123 localhost:9090 localhost:1"
        " example:8000"
    )
    assert stack.as_here(typed) == moved


@posix
def test_a_command_runs_in_the_checkout_as_it_is_typed(stack: Stack) -> None:
    (stack.checkout / "file").write_text("text\n")
    stack = replace(stack, environment={"PATH": "/usr/bin:/bin", "NAME": "file"})
    assert stack.shell('cat "$NAME" && echo localhost:8000') == "text\nlocalhost:8123\n"
    with pytest.raises(Failure, match="`echo why >&2; exit 3` ends with 3: why"):
        stack.shell("echo why >&2; exit 3")
    assert stack.first_line("tail -f file") == "text"


def test_an_environment_has_the_packages_of_a_lock_or_not(tmp_path: Path) -> None:
    lock = tmp_path / "lock.txt"
    pinned = "# comment\npytest=={version} \\\n    --hash=sha256:00\n"
    absent = "nowhere==1 ; sys_platform == 'none' \\\n"
    lock.write_text(pinned.format(version=pytest.__version__) + absent)
    assert environment.has_packages(lock)
    lock.write_text(pinned.format(version="0.1"))
    assert not environment.has_packages(lock)
    lock.write_text("nowhere==1 \\\n")
    assert not environment.has_packages(lock)


def test_the_report_is_lines_or_json(capsys: pytest.CaptureFixture[str]) -> None:
    results = [
        Result(row(None), State.WORKS, "seen"),
        Result(row(None), State.FAILED, "said\nmore"),
    ]
    report.show(results, as_json=False)
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == ["99  works    seen", "99  failed   said more"]
    assert lines[2] == "2 rows: 1 works, 1 failed, 0 not run."
    report.show(results, as_json=True)
    first, _ = json.loads(capsys.readouterr().out)
    assert first == {"row": 99, "typed": "`typed`", "state": "works", "seen": "seen"}
