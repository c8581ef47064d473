"""Rules that the linters do not have: the length of files and functions, splats, and
options that must be written in full.
"""

import ast
from collections.abc import Callable
from typing import Any

from core.git import git
from tests.paths import ROOT

FILE_LINES = 250
FUNCTION_LINES = 40
# Longer files, each with its reason.
LONG_FILES = {
    "scripts/verify_mlflow_data.py",  # it is mounted into a container, alone
    "noxfile.py",  # nox reads one file
}
Rule = Callable[[ast.Module], list[Any]]
PYTHON = git(ROOT, "ls-files", "*.py").splitlines()


def read(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


def parse(name: str) -> ast.Module:
    return ast.parse(read(name))


def lines(name: str) -> int:
    return len(read(name).splitlines())


def long_functions(tree: ast.Module) -> list[str]:
    names = []
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno
            length = node.end_lineno - node.lineno + 1
            if length > FUNCTION_LINES:
                names.append(node.name)
    return names


def literal_splats(tree: ast.Module) -> list[int]:
    """Return the lines of literals that are unpacked where they are written."""
    numbers = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Starred):
            if isinstance(node.value, ast.Tuple | ast.List):
                numbers.append(node.lineno)
        if isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values, strict=True):
                # A mapping that is unpacked has no key.
                if key is None and isinstance(value, ast.Dict):
                    numbers.append(value.lineno)
    return numbers


def parsers_with_abbreviations(tree: ast.Module) -> list[int]:
    """Return the lines of parsers that take the beginning of an option for it."""
    numbers = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            given = {keyword.arg for keyword in node.keywords}
            if node.func.attr == "ArgumentParser" and "allow_abbrev" not in given:
                numbers.append(node.lineno)
    return numbers


def test_no_file_needs_much_scrolling() -> None:
    long = {name for name in PYTHON if lines(name) > FILE_LINES}
    assert long <= LONG_FILES


def faults(rule: Rule) -> dict[str, list[Any]]:
    """Return what a rule finds in each file, without the files in which it is nothing."""
    listed = {}
    for name in PYTHON:
        of_file = rule(parse(name))
        if of_file:
            listed[name] = of_file
    return listed


def test_functions_fit_on_a_screen() -> None:
    assert faults(long_functions) == {}


def test_lists_and_mappings_are_spelled_out() -> None:
    assert faults(literal_splats) == {}


def test_options_are_written_in_full() -> None:
    # `--port 5077` would be `--port-offset 5077`, and mean another port.
    assert faults(parsers_with_abbreviations) == {}


def function_of(count: int) -> ast.Module:
    """Return a module with a function of some lines."""
    body = "    pass\n" * (count - 1)
    return ast.parse(f"def function():\n{body}")


def test_the_rules_see_their_faults() -> None:
    assert long_functions(function_of(FUNCTION_LINES)) == []
    assert long_functions(function_of(FUNCTION_LINES + 1)) == ["function"]
    code = "a = [*(1, 2)]\nb = f(*[1])\nc = {**{1: 2}}\nd = [*a, *f(*b)]\n"
    lines = literal_splats(ast.parse(code))
    assert sorted(lines) == [1, 2, 3]
    calls = "argparse.ArgumentParser()\nargparse.ArgumentParser(allow_abbrev=False)\n"
    assert parsers_with_abbreviations(ast.parse(calls)) == [1]
