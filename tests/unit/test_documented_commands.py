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

TOP = ("README.md", "CONTRIBUTING.md", "AGENTS.md")
LESSONS = sorted((ROOT / "course" / "lessons").glob("*/lesson.md"))
PAGES = [
    *(ROOT / "docs").glob("*.md"),
    *(ROOT / name for name in TOP),
    *LESSONS,
]
CODE = re.compile(r"^```\w*\n(.*?)^```|`([^`\n]+)`", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"(?<![\w./-])pipeline ([a-z][^|&;<>#]*)")
SCRIPT = re.compile(r"(?<![\w/])\.[/\\]((?:scripts[/\\])?[\w-]+\.(?:sh|ps1))")
SESSION = re.compile(r"(?<=-s )[a-z][\w-]*(?:\.\d+)?")
SESSION_NAME = re.compile(r"name='([\w-]+)'")
OPTION = re.compile(r"--[a-z][a-z-]*")
ROOT_COMMAND = typer.main.get_command(app)


def name_of(page: Path) -> str:
    """Return the name of a page, for a lesson that of its folder."""
    return page.parent.name if page in LESSONS else page.name


def fragments(page: Path) -> Iterator[str]:
    """Go through the code of a page: the lines of blocks, and inline code."""
    text = page.read_text("utf-8")
    for block, inline in CODE.findall(text):
        if block:
            yield from block.splitlines()
        else:
            yield inline


def unknown_words(arguments: str) -> list[str]:
    """Return what `pipeline ARGUMENTS` names that does not exist."""
    command: Any = ROOT_COMMAND
    words = arguments.split()
    while words and hasattr(command, "commands"):
        name = words.pop(0)
        if name not in command.commands:
            return [name]
        command = command.commands[name]
    options = {"--help"}
    for parameter in command.params:
        options.update(parameter.opts)
    used = OPTION.findall(" ".join(words))
    return [name for name in used if name not in options]


def sessions() -> set[str]:
    """Return the names of the nox sessions."""
    source = (ROOT / "noxfile.py").read_text("utf-8")
    names = set()
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef) and node.decorator_list:
            names.add(node.name)
            decorator = ast.unparse(node.decorator_list[0])
            names.update(SESSION_NAME.findall(decorator))
    return names


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_pipeline_command_and_option_exists(page: Path) -> None:
    problems = []
    for fragment in fragments(page):
        for command in COMMAND.findall(fragment):
            if unknown := unknown_words(command):
                problems.append((command, unknown))
    assert problems == []


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_nox_session_exists(page: Path) -> None:
    existing = sessions()
    for fragment in fragments(page):
        if "nox" in fragment or "test.sh" in fragment:
            for name in SESSION.findall(fragment):
                without_version, _, _ = name.partition("-3.")
                assert without_version in existing, fragment


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_script_exists(page: Path) -> None:
    for fragment in fragments(page):
        for script in SCRIPT.findall(fragment):
            path = ROOT / script.replace("\\", "/")
            assert path.is_file(), fragment


def test_an_unknown_command_and_option_are_reported() -> None:
    assert unknown_words("history rebuild") == ["rebuild"]
    assert unknown_words("train --task iris --fast") == ["--fast"]
    assert unknown_words("history import --from DIR") == []
