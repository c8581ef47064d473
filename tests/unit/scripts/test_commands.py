"""Programs with a command line by Typer end like all others."""

from typing import Annotated

import pytest
import typer

from core.errors import UsageError
from scripts import commands

Capture = pytest.CaptureFixture[str]


def repeat(word: str, times: Annotated[int, typer.Option(min=1)] = 1) -> None:
    print(word * times)


def interrupt() -> None:
    raise KeyboardInterrupt


def fail() -> None:
    raise commands.fail("nothing is there.", 3)


def misuse() -> None:
    raise UsageError("there is no such task.")


def leave() -> None:
    raise SystemExit("error: it did not start.")


def refuse() -> None:
    raise PermissionError(13, "Permission denied", "logs")


def test_arguments_are_those_of_the_function(capsys: Capture) -> None:
    assert commands.run(repeat, ["ab", "--times", "2"]) == 0
    assert capsys.readouterr().out == "abab\n"


def test_a_wrong_argument_is_status_2_and_a_plain_sentence(capsys: Capture) -> None:
    assert commands.run(repeat, ["ab", "--times", "0"]) == 2
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith("Error: Invalid value for '--times': Input should be")


def test_ctrl_c_is_status_130_and_a_message(capsys: Capture) -> None:
    assert commands.run(interrupt, []) == 130
    assert capsys.readouterr().err == "stopped.\n"


def test_a_failure_is_its_status_and_its_sentence(capsys: Capture) -> None:
    assert commands.run(fail, []) == 3
    assert capsys.readouterr().err == "error: nothing is there.\n"


def test_an_error_of_the_project_is_its_status_and_its_sentence(
    capsys: Capture,
) -> None:
    assert commands.run(misuse, []) == 2
    assert capsys.readouterr().err == "error: there is no such task.\n"


def test_an_exit_with_a_sentence_is_status_1_as_pythons_own(capsys: Capture) -> None:
    assert commands.run(leave, []) == 1
    assert capsys.readouterr().err == "error: it did not start.\n"


def test_an_error_of_the_system_is_a_sentence(capsys: Capture) -> None:
    assert commands.run(refuse, []) == 1
    assert capsys.readouterr().err == "error: logs: Permission denied.\n"
