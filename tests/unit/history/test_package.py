"""What the library is installed with: its own `pyproject.toml`."""

import ast
import itertools
import sys
import tomllib
from pathlib import Path

from tests.paths import ROOT

FOLDER = ROOT / "history"
PROJECT = tomllib.loads((FOLDER / "pyproject.toml").read_text("utf-8"))
DEPENDENCIES = PROJECT["project"]["dependencies"]
EXTRAS = PROJECT["project"]["optional-dependencies"]
# Modules with another name than their package.
PACKAGES = {"yaml": "pyyaml", "prometheus_client": "prometheus-client"}
# Installed with MLflow, and imported for its errors and addresses alone.
WITH_MLFLOW = {"sqlalchemy"}
# Installed with boto3, for its errors and settings.
WITH_BOTO3 = {"botocore"}
# Installed with pydantic, which creates its errors with it.
WITH_PYDANTIC = {"pydantic_core"}
OWN = {"core", "history"}


def imported(path: Path) -> set[str]:
    """Return the modules that a file imports, by their full names."""
    modules = set()
    tree = ast.parse(path.read_text("utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            modules.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            modules.add(node.module)
            # A module of ours may be imported from its package: `from core import output`.
            for alias in node.names:
                name = f"{node.module}.{alias.name}"
                if file_of(name).is_file():
                    modules.add(name)
    return modules


def file_of(module: str) -> Path:
    return ROOT / f"{module.replace('.', '/')}.py"


def all_imported() -> set[str]:
    modules = set()
    for path in FOLDER.glob("*.py"):
        modules |= imported(path)
    return modules


def test_every_module_of_core_that_is_needed_is_installed_too() -> None:
    wheel = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]
    installed = set()
    for target in wheel["force-include"].values():
        if target.startswith("core/"):
            module = target.removesuffix(".py")
            installed.add(module.replace("/", "."))
    needed = {"core.__init__"}
    for name in modules_of_core(all_imported()):
        needed.add(name)
        needed |= modules_of_core(imported(file_of(name)))
    assert installed == needed


def modules_of_core(names: set[str]) -> set[str]:
    return {name for name in names if name.startswith("core.")}


def test_every_package_that_is_imported_is_a_dependency() -> None:
    outside = {name.partition(".")[0] for name in all_imported()}
    outside -= set(sys.stdlib_module_names) | OWN | WITH_MLFLOW | WITH_PYDANTIC
    outside -= WITH_BOTO3
    packages = {PACKAGES.get(name, name) for name in outside}
    dependencies = set()
    for requirement in itertools.chain(DEPENDENCIES, *EXTRAS.values()):
        name, _, _ = requirement.partition("=")
        name, _, _ = name.partition("[")
        dependencies.add(name.rstrip("><"))
    assert dependencies == packages


def test_the_schema_is_that_of_the_required_mlflow() -> None:
    (requirement,) = [text for text in DEPENDENCIES if text.startswith("mlflow")]
    _, _, version = requirement.partition("==")
    schema = (FOLDER / "schema.sql").read_text("utf-8")
    assert schema.startswith(f"-- Made by MLflow {version}:")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    assert requirement in project["dependency-groups"]["mlflow"]
