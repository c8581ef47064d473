"""What the library is installed with: its own `pyproject.toml`."""

import ast
import sys
import tomllib
from pathlib import Path

from tests.paths import ROOT

FOLDER = ROOT / "history"
PROJECT = tomllib.loads((FOLDER / "pyproject.toml").read_text("utf-8"))
# What is imported under another name than its package has.
PACKAGES = {"yaml": "pyyaml", "prometheus_client": "prometheus-client"}
# Comes with MLflow, and is imported for its errors and addresses alone.
WITH_MLFLOW = {"sqlalchemy"}
# Comes with pydantic, whose errors are made with it.
WITH_PYDANTIC = {"pydantic_core"}
OWN = {"core", "history"}


def imported(path: Path) -> set[str]:
    """Return the modules that a file imports, by their full names."""
    modules = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            modules.update(name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            modules.add(node.module)
            # A module of ours may be imported from its package: `from core import output`.
            modules.update(
                f"{node.module}.{name.name}"
                for name in node.names
                if (ROOT / node.module.replace(".", "/") / f"{name.name}.py").is_file()
            )
    return modules


def all_imported() -> set[str]:
    modules = set()
    for path in FOLDER.glob("*.py"):
        modules |= imported(path)
    return modules


def test_every_module_of_core_that_is_needed_is_installed_too() -> None:
    wheel = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]
    installed = {
        target.removesuffix(".py").replace("/", ".")
        for target in wheel["force-include"].values()
        if target.startswith("core/")
    }
    needed = {name for name in all_imported() if name.startswith("core.")}
    for name in set(needed):
        path = ROOT / f"{name.replace('.', '/')}.py"
        needed |= {other for other in imported(path) if other.startswith("core.")}
    assert installed == needed | {"core.__init__"}


def test_every_package_that_is_imported_is_a_dependency() -> None:
    outside = {name.partition(".")[0] for name in all_imported()}
    outside -= set(sys.stdlib_module_names) | OWN | WITH_MLFLOW | WITH_PYDANTIC
    packages = {PACKAGES.get(name, name) for name in outside}
    dependencies = {
        text.partition("=")[0].rstrip("><")
        for text in PROJECT["project"]["dependencies"]
    }
    assert dependencies == packages


def test_mlflow_is_the_one_that_the_schema_is_of() -> None:
    pinned = [
        text for text in PROJECT["project"]["dependencies"] if text.startswith("mlflow")
    ]
    (version,) = (text.partition("==")[2] for text in pinned)
    schema = (FOLDER / "schema.sql").read_text("utf-8")
    assert schema.startswith(f"-- Made by MLflow {version}:")
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    assert pinned[0] in groups["dependency-groups"]["mlflow"]
