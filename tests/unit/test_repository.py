"""What holds for the repository as a whole."""

import re
from pathlib import Path

import pytest
import tree_sitter
import tree_sitter_powershell

from core.git import git
from tests.paths import ROOT

TRACKED = [ROOT / name for name in git(ROOT, "ls-files").splitlines()]
# Where a user's own files lie, on any system; the start of a path that no clone shares.
ABSOLUTE = re.compile(
    rb"(?<![\w.:/-])(/(home|root|work|Users|mnt)/\w|[A-Za-z]:[\\/](Users|work)\b)"
)


def test_the_makefile_is_short_and_names_commands_that_there_are() -> None:
    text = (ROOT / "Makefile").read_text("utf-8")
    targets = re.findall(r"^(\w+):$", text, re.MULTILINE)
    assert (
        targets == ["up", "down", "test", "lint", "format"]
        and len(text.splitlines()) < 20
    )
    commands = re.findall(r"^\t(\S+)(.*)$", text, re.MULTILINE)
    sessions = (ROOT / "noxfile.py").read_text("utf-8")
    for program, arguments in commands:
        assert (ROOT / program).is_file()
        for session in re.findall(r"-s (\w+)", arguments):
            assert f'name="{session}"' in sessions or f"def {session}(" in sessions


SCRIPTS = [path for path in TRACKED if path.suffix == ".ps1"]


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_powershell_parses(script: Path) -> None:
    language = tree_sitter.Language(tree_sitter_powershell.language())
    tree = tree_sitter.Parser(language).parse(script.read_bytes())
    assert not tree.root_node.has_error


def test_the_parser_would_see_a_fault_in_powershell() -> None:
    language = tree_sitter.Language(tree_sitter_powershell.language())
    assert tree_sitter.Parser(language).parse(b"if ($x { 1 }").root_node.has_error


def test_scripts_have_the_line_ends_of_their_system() -> None:
    attributes = {"sh": "lf", "ps1": "crlf", "py": "lf"}
    for ending, expected in attributes.items():
        said = git(ROOT, "check-attr", "eol", "--", f"any.{ending}")
        assert said.endswith(f"eol: {expected}")


def test_no_tracked_file_holds_a_path_of_somebodys_machine() -> None:
    found = {
        path.relative_to(ROOT).as_posix(): match.group()
        for path in TRACKED
        # The tests of the search for such paths are full of them.
        if path.is_file()
        and "tests" not in path.parts
        and (match := ABSOLUTE.search(path.read_bytes()))
    }
    assert found == {}


def test_no_two_files_of_tests_have_the_same_name() -> None:
    # pytest imports them by their names alone, but for those in a package.
    paths = [
        path
        for path in (ROOT / "tests").rglob("test_*.py")
        if path.parent.name != "stack"
    ]
    names = [path.name for path in paths]
    assert sorted(set(names)) == sorted(names)


def test_no_test_changes_the_time_of_other_threads() -> None:
    # What another test left running would wait as short, and its waits would be counted
    # as ours.
    by_name = r'"[\w.]+\.(time|asyncio)\.\w+"'
    by_module = r'[\w.]*\b(time|asyncio), "\w+"'
    patched = re.compile(rf"setattr\(\s*({by_name}|{by_module})")
    files = sorted((ROOT / "tests").rglob("*.py"))
    found = [path.name for path in files if patched.search(path.read_text("utf-8"))]
    assert found == []


def test_no_file_is_read_in_the_encoding_of_the_machine() -> None:
    python = [path for path in TRACKED if path.suffix == ".py" and path.is_file()]
    unsaid = re.compile(r"\.read_text\(\)|\bopen\([^()]*, \"[rwa]t?\"\)")
    found = [path.name for path in python if unsaid.search(path.read_text("utf-8"))]
    assert found == []
