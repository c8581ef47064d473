"""Programs that read their arguments with Typer end like all others."""

from typing import Annotated

import pytest
import typer

from scripts import commands

Capture = pytest.CaptureFixture[str]


def repeat(word: str, times: Annotated[int, typer.Option(min=1)] = 1) -> None:
    print(word * times)


def interrupt() -> None:
    raise KeyboardInterrupt


def fail() -> None:
    raise commands.fail("nothing is there.", 3)


def refuse() -> None:
    raise PermissionError(13, "Permission denied", "logs")


def test_arguments_are_those_of_the_function(capsys: Capture) -> None:
    assert commands.run(repeat, ["ab", "--times", "2"]) == 0
    assert capsys.readouterr().out == "abab\n"


def test_a_wrong_argument_is_status_2_and_a_plain_sentence(capsys: Capture) -> None:
    assert commands.run(repeat, ["ab", "--times", "0"]) == 2
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith("Error: Invalid value for '--times': Input should be")


def test_ctrl_c_is_status_130_and_a_word(capsys: Capture) -> None:
    assert commands.run(interrupt, []) == 130
    assert capsys.readouterr().err == "stopped.\n"


def test_a_failure_is_its_status_and_its_sentence(capsys: Capture) -> None:
    assert commands.run(fail, []) == 3
    assert capsys.readouterr().err == "error: nothing is there.\n"


def test_what_the_system_refuses_is_one_sentence(capsys: Capture) -> None:
    assert commands.run(refuse, []) == 1
    assert capsys.readouterr().err == "error: logs: Permission denied.\n"
