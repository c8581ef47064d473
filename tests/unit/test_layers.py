"""Which folder may import which, read from every import statement.

`core` stands at the bottom; `history` and `app` stand on it, `pipeline` on both `core`
and `history`. `scripts` and `tools` may use all of them.
"""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.paths import ROOT

OURS = {
    "app",
    "core",
    "deployment",
    "examples",
    "history",
    "monitoring",
    "pipeline",
    "scripts",
    "tests",
    "tools",
}
ALLOWED: dict[str, set[str]] = {
    "core": {"core"},
    "history": {"core", "history"},
    "app": {"app", "core"},
    "pipeline": {"core", "history", "pipeline"},
    "scripts": OURS - {"tests", "tools"},
    "tools": OURS - {"tests"},
}
# What `core` may need besides the standard library. pydantic brings typing_extensions.
PACKAGES_OF_CORE = {"numpy", "onnxruntime", "pydantic", "typing_extensions"}
# The API of OpenTelemetry is imported by this module alone.
TRACING = ROOT / "core" / "tracing.py"


def imports(source: str) -> Iterator[tuple[int, str]]:
    """Yield each import's line and the top-level package that it imports from."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name.partition(".")[0]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            assert node.module is not None
            yield node.lineno, node.module.partition(".")[0]


def violations(folder: Path, allowed: set[str]) -> list[str]:
    """Return the imports below a folder of ours that it is not allowed."""
    found = []
    for path in sorted(folder.rglob("*.py")):
        for line, package in imports(path.read_text("utf-8")):
            if package in OURS - allowed:
                place = path.relative_to(folder.parent).as_posix()
                found.append(f"{place}:{line} imports {package}")
    return found


@pytest.mark.parametrize("folder", ALLOWED)
def test_a_folder_imports_only_the_folders_below_it(folder: str) -> None:
    assert violations(ROOT / folder, ALLOWED[folder]) == []


def test_core_needs_few_packages() -> None:
    found = []
    for path in sorted((ROOT / "core").rglob("*.py")):
        allowed = PACKAGES_OF_CORE | sys.stdlib_module_names | OURS
        if path == TRACING:
            allowed |= {"opentelemetry"}
        for line, package in imports(path.read_text("utf-8")):
            if package not in allowed:
                found.append(f"{path.name}:{line} imports {package}")
    assert found == []


def test_every_form_of_a_forbidden_import_is_found(tmp_path: Path) -> None:
    source = """
import app.main
from app.settings import Settings

def late() -> None:
    from app import main

if TYPE_CHECKING:
    import numpy, app
"""
    folder = tmp_path / "pipeline"
    folder.mkdir()
    (folder / "module.py").write_text(source, "utf-8")
    assert sorted(violations(folder, ALLOWED["pipeline"])) == [
        "pipeline/module.py:2 imports app",
        "pipeline/module.py:3 imports app",
        "pipeline/module.py:6 imports app",
        "pipeline/module.py:9 imports app",
    ]
