"""Rules for the repository as a whole."""

import re
from pathlib import Path

import pytest
import tree_sitter
import tree_sitter_powershell

from core.git import git
from tests.paths import ROOT

TRACKED = [ROOT / name for name in git(ROOT, "ls-files").splitlines()]
# The start of the path of a user's own files, on any system: no clone shares it.
ABSOLUTE = re.compile(
    rb"(?<![\w.:/-])(/(home|root|work|Users|mnt)/\w|[A-Za-z]:[\\/](Users|work)\b)"
)


def tracked(ending: str = "") -> list[Path]:
    """Return the files in Git with an ending that are there."""
    named = [path for path in TRACKED if path.name.endswith(ending)]
    return [path for path in named if path.is_file()]


def test_the_makefile_is_short_and_names_commands_that_there_are() -> None:
    text = (ROOT / "Makefile").read_text("utf-8")
    targets = re.findall(r"^(\w+):$", text, re.MULTILINE)
    assert targets == ["up", "down", "test", "lint", "format"]
    assert len(text.splitlines()) < 20
    commands = re.findall(r"^\t(\S+)(.*)$", text, re.MULTILINE)
    noxfile = (ROOT / "noxfile.py").read_text("utf-8")
    for program, arguments in commands:
        assert (ROOT / program).is_file()
        for session in re.findall(r"-s (\w+)", arguments):
            is_named = f'name="{session}"' in noxfile
            assert is_named or f"def {session}(" in noxfile


def powershell_has_error(script: bytes) -> bool:
    language = tree_sitter.Language(tree_sitter_powershell.language())
    tree = tree_sitter.Parser(language).parse(script)
    return bool(tree.root_node.has_error)


@pytest.mark.parametrize("script", tracked(".ps1"), ids=lambda path: path.name)
def test_powershell_parses(script: Path) -> None:
    assert not powershell_has_error(script.read_bytes())


def test_the_parser_would_see_a_fault_in_powershell() -> None:
    assert powershell_has_error(b"if ($x { 1 }")


@pytest.mark.parametrize(
    ("ending", "expected"),
    [
        ("sh", "lf"),
        ("ps1", "crlf"),
        ("py", "lf"),
    ],
)
def test_scripts_have_the_line_ends_of_their_system(ending: str, expected: str) -> None:
    output = git(ROOT, "check-attr", "eol", "--", f"any.{ending}")
    assert output.endswith(f"eol: {expected}")


def test_no_tracked_file_holds_a_path_of_somebodys_machine() -> None:
    matches = {}
    for path in tracked():
        # The tests of the search for such paths are full of them.
        if "tests" in path.parts:
            continue
        match = ABSOLUTE.search(path.read_bytes())
        if match:
            matches[path.relative_to(ROOT).as_posix()] = match.group()
    assert matches == {}


def test_no_two_files_of_tests_have_the_same_name() -> None:
    # pytest imports them by their names alone, but for those in a package.
    names = []
    for path in (ROOT / "tests").rglob("test_*.py"):
        if path.parent.name != "stack":
            names.append(path.name)
    assert sorted(set(names)) == sorted(names)


def test_no_test_changes_the_time_of_other_threads() -> None:
    # The threads that another test left running would wait as short, and their waits
    # would be counted as ours.
    by_name = r'"[\w.]+\.(time|asyncio)\.\w+"'
    by_module = r'[\w.]*\b(time|asyncio), "\w+"'
    patched = re.compile(rf"setattr\(\s*({by_name}|{by_module})")
    names = []
    for path in sorted((ROOT / "tests").rglob("*.py")):
        if patched.search(path.read_text("utf-8")):
            names.append(path.name)
    assert names == []


def test_no_file_is_read_in_the_encoding_of_the_machine() -> None:
    without_encoding = re.compile(r"\.read_text\(\)|\bopen\([^()]*, \"[rwa]t?\"\)")
    names = []
    for path in tracked(".py"):
        if without_encoding.search(path.read_text("utf-8")):
            names.append(path.name)
    assert names == []
