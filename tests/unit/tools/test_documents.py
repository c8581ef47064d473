"""The program that runs the rows of the documents; `tests/stack` runs the rows."""

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
    """A stack that does not run."""
    return Stack("local", tmp_path, {"mlops-api": 8123}, {}, "secret")


def row(check: Check | None) -> Row:
    return Row(99, "`typed`", "as typed", check=check)


def test_every_row_is_there_once_and_fits_into_a_table() -> None:
    numbers = [row.number for row in table.ROWS]
    assert numbers == list(range(1, 28))
    for row in table.ROWS:
        assert row.typed
        assert row.here
        assert row.check
        text = row.typed + row.here + row.page
        assert "|" not in text, row.number
        assert "\n" not in text, row.number


def test_the_result_is_the_checks_sentence_or_the_reason(stack: Stack) -> None:
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
        assert result.state == state
        assert result.seen == seen


def test_a_service_that_does_not_run_is_a_reason_not_to_run(stack: Stack) -> None:
    stack.require("mlops-api")
    reason = "grafana does not run: its program is not on this machine"
    with pytest.raises(CannotRun, match=reason):
        stack.require("grafana")
    with pytest.raises(CannotRun, match="local processes"):
        stack.require_containers()
    in_containers = replace(stack, mode="containers")
    in_containers.require_containers()


def test_usual_addresses_become_those_of_the_stack(stack: Stack) -> None:
    typed = "curl http://localhost:8000/health 127.0.0.1:8000"
    here = "curl http://localhost:8123/health 127.0.0.1:8123"
    assert stack.as_here(typed) == here
    others = "localhost:9090 localhost:1 example:8000"
    assert stack.as_here(others) == others


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
    pinned = "# comment\npytest=={} \\\n    --hash=sha256:00\n"
    for_other_systems = "nowhere==1 ; sys_platform == 'none' \\\n"
    lock.write_text(pinned.format(pytest.__version__) + for_other_systems)
    assert environment.has_packages(lock)
    lock.write_text(pinned.format("0.1"))
    assert not environment.has_packages(lock)
    lock.write_text("nowhere==1 \\\n")
    assert not environment.has_packages(lock)


def test_the_report_is_lines_or_json(capsys: pytest.CaptureFixture[str]) -> None:
    results = [
        Result(row(None), State.WORKS, "seen"),
        Result(row(None), State.FAILED, "first\nsecond"),
    ]
    report.show(results, as_json=False)
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == ["99  works    seen", "99  failed   first second"]
    assert lines[2] == "2 rows: 1 works, 1 failed, 0 not run."
    report.show(results, as_json=True)
    first, _ = json.loads(capsys.readouterr().out)
    assert first == {
        "row": 99,
        "typed": "`typed`",
        "state": "works",
        "seen": "seen",
    }
