"""Every command that a page shows exists, with its options."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from pipeline.cli import app
from tests.paths import ROOT

PAGES = [
    *(ROOT / "docs").glob("*.md"),
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "AGENTS.md")),
]
CODE = re.compile(r"^```\w*\n(.*?)^```|`([^`\n]+)`", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"(?<![\w./-])pipeline ([a-z][^|&;<>#]*)")
SCRIPT = re.compile(r"(?<![\w/])\.[/\\]((?:scripts[/\\])?[\w-]+\.(?:sh|ps1))")
SESSION = re.compile(r"(?<=-s )[a-z][\w-]*(?:\.\d+)?")
OPTION = re.compile(r"--[a-z][a-z-]*")
ROOT_COMMAND = typer.main.get_command(app)


def fragments(text: str) -> Iterator[str]:
    """Go through the code of a page: the lines of blocks, and inline code."""
    for block, inline in CODE.findall(text):
        yield from block.splitlines() if block else [inline]


def faults(arguments: str) -> list[str]:
    """Return what `pipeline ARGUMENTS` names that does not exist."""
    command: Any = ROOT_COMMAND
    words = arguments.split()
    while words and hasattr(command, "commands"):
        name = words.pop(0)
        if name not in command.commands:
            return [name]
        command = command.commands[name]
    options = {option for one in command.params for option in one.opts} | {"--help"}
    return [name for name in OPTION.findall(" ".join(words)) if name not in options]


def sessions() -> set[str]:
    """Return the names of the nox sessions."""
    tree = ast.parse((ROOT / "noxfile.py").read_text("utf-8"))
    functions = [one for one in tree.body if isinstance(one, ast.FunctionDef)]
    decorated = [one for one in functions if one.decorator_list]
    names = {one.name for one in decorated}
    for function in decorated:
        renamed = re.search(r"name='([\w-]+)'", ast.unparse(function.decorator_list[0]))
        names |= {renamed[1]} if renamed else set()
    return names


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_pipeline_command_and_option_exists(page: Path) -> None:
    found = [
        (command, faults(command))
        for fragment in fragments(page.read_text("utf-8"))
        for command in COMMAND.findall(fragment)
    ]
    assert [one for one in found if one[1]] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_nox_session_and_script_exists(page: Path) -> None:
    known = sessions()
    for fragment in fragments(page.read_text("utf-8")):
        if "nox" in fragment or "test.sh" in fragment:
            for name in SESSION.findall(fragment):
                assert name.partition("-3.")[0] in known, fragment
        for script in SCRIPT.findall(fragment):
            assert (ROOT / script.replace("\\", "/")).is_file(), fragment


def test_an_unknown_command_and_option_are_faults() -> None:
    assert faults("history rebuild") == ["rebuild"]
    assert faults("train --task iris --fast") == ["--fast"]
    assert faults("history import --from DIR") == []
