"""Rules that the linters do not have: the length of files and functions, and splats."""

import ast

from core.git import git
from tests.paths import ROOT

FILE_LINES = 250
FUNCTION_LINES = 40
# Longer files and functions, each with its reason.
LONG_FILES = {
    "scripts/verify_mlflow_data.py",  # it is mounted into a container, alone
    "noxfile.py",  # nox reads one file
}
LONG_FUNCTIONS = {
    "history/importer.py": ["import_runs"],  # its parameters are a public interface
}
PYTHON = git(ROOT, "ls-files", "*.py").splitlines()
SOURCES = [name for name in PYTHON if not name.startswith("tests/")]
SOURCES += [name for name in PYTHON if name.startswith("tests/support/")]


def parse(name: str) -> ast.Module:
    return ast.parse((ROOT / name).read_text("utf-8"))


def lines(name: str) -> int:
    return len((ROOT / name).read_text("utf-8").splitlines())


def long_functions(tree: ast.Module) -> list[str]:
    names = []
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno
            if node.end_lineno - node.lineno >= FUNCTION_LINES:
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
                if key is None and isinstance(value, ast.Dict):
                    numbers.append(value.lineno)
    return numbers


def test_no_file_needs_much_scrolling() -> None:
    long = {name for name in SOURCES if lines(name) > FILE_LINES}
    assert long <= LONG_FILES


def test_functions_fit_on_a_screen() -> None:
    functions = {name: long_functions(parse(name)) for name in SOURCES}
    long = {name: found for name, found in functions.items() if found}
    assert long.items() <= LONG_FUNCTIONS.items()


def test_lists_and_mappings_are_spelled_out() -> None:
    splats = {name: literal_splats(parse(name)) for name in PYTHON}
    assert {name: found for name, found in splats.items() if found} == {}


def test_the_rules_find_what_they_look_for() -> None:
    body = "\n".join(["    pass"] * FUNCTION_LINES)
    assert long_functions(ast.parse(f"def long():\n{body}\n")) == ["long"]
    shorter = body.removesuffix("\n    pass")
    assert long_functions(ast.parse(f"def short():\n{shorter}\n")) == []
    code = "a = [*(1, 2)]\nb = f(*[1])\nc = {**{1: 2}}\nd = [*a, *f(*b)]\n"
    assert sorted(literal_splats(ast.parse(code))) == [1, 2, 3]
