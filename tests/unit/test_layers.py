"""Which folder may import which, read from every import statement.

`core` stands at the bottom; `history` and `app` stand on it, `pipeline` on both `core`
and `history`. `scripts` and `tools` may use all of them. `course` starts the programs of
the others and imports none of them. Within `app`, the routes use the other parts, and
only what puts the application together uses the routes.
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
    "course",
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
    "course": {"core", "course", "scripts"},
    "history": {"core", "history"},
    "app": {"app", "core"},
    "pipeline": {"core", "history", "pipeline"},
    "scripts": OURS - {"course", "tests", "tools"},
    "tools": OURS - {"course", "tests"},
}
# The parts of `app` that may import its routes.
ABOVE_THE_ROUTES = ("app/main.py", "app/openapi/", "app/routes/")
# What `core` may need besides the standard library. pydantic brings typing_extensions.
PACKAGES_OF_CORE = {"numpy", "onnxruntime", "pydantic", "typing_extensions"}
# The API of OpenTelemetry is imported by this module alone.
TRACING = ROOT / "core" / "tracing.py"


def imports(source: str) -> Iterator[tuple[int, str]]:
    """Yield the line and the full name of each module or object that is imported."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            for alias in node.names:
                yield node.lineno, f"{node.module}.{alias.name}"


def top_level(name: str) -> str:
    return name.partition(".")[0]


def violations(folder: Path, allowed: set[str]) -> list[str]:
    """Return the imports below a folder of ours that it is not allowed."""
    problems = []
    for path in sorted(folder.rglob("*.py")):
        place = path.relative_to(folder.parent).as_posix()
        for line, name in imports(path.read_text("utf-8")):
            if top_level(name) in OURS - allowed:
                problems.append(f"{place}:{line} imports {name}")
    return problems


def imports_of_routes(app: Path) -> list[str]:
    """Return the imports of `app.routes` in files that the routes use."""
    problems = []
    for path in sorted(app.rglob("*.py")):
        place = path.relative_to(app.parent).as_posix()
        if place.startswith(ABOVE_THE_ROUTES):
            continue
        for line, name in imports(path.read_text("utf-8")):
            if f"{name}.".startswith("app.routes."):
                problems.append(f"{place}:{line} imports {name}")
    return problems


@pytest.mark.parametrize("folder", ALLOWED)
def test_a_folder_imports_only_the_folders_below_it(folder: str) -> None:
    assert violations(ROOT / folder, ALLOWED[folder]) == []


def test_nothing_in_app_imports_the_routes_that_use_it() -> None:
    assert imports_of_routes(ROOT / "app") == []


def test_core_needs_few_packages() -> None:
    problems = []
    for path in sorted((ROOT / "core").rglob("*.py")):
        allowed = PACKAGES_OF_CORE | sys.stdlib_module_names | OURS
        if path == TRACING:
            allowed |= {"opentelemetry"}
        for line, name in imports(path.read_text("utf-8")):
            if top_level(name) not in allowed:
                problems.append(f"{path.name}:{line} imports {name}")
    assert problems == []


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
        "pipeline/module.py:2 imports app.main",
        "pipeline/module.py:3 imports app.settings.Settings",
        "pipeline/module.py:6 imports app.main",
        "pipeline/module.py:9 imports app",
    ]


def test_every_form_of_an_import_of_the_routes_is_found(tmp_path: Path) -> None:
    source = """
import app.routes
import app.routes.drift
from app import errors, routes
from app.routes import drift
from app.routes.drift import router
"""
    folder = tmp_path / "app" / "observability"
    folder.mkdir(parents=True)
    (folder / "module.py").write_text(source, "utf-8")
    (tmp_path / "app" / "main.py").write_text(source, "utf-8")
    assert imports_of_routes(tmp_path / "app") == [
        "app/observability/module.py:2 imports app.routes",
        "app/observability/module.py:3 imports app.routes.drift",
        "app/observability/module.py:4 imports app.routes",
        "app/observability/module.py:5 imports app.routes.drift",
        "app/observability/module.py:6 imports app.routes.drift.router",
    ]
