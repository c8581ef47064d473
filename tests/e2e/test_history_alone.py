"""The library `history` alone: installed by pip, on somebody else's MLflow store.

A store of 50 runs is imported by the console script, committed, cloned elsewhere and
built there; MLflow's client must show every entity as it was.
"""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

import pytest

from tests.paths import ROOT
from tests.support import foreign_store, mlflow_listing

# An installation with all of MLflow's packages may take longer than a test usually may.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

RUNS = foreign_store.PARENTS * (1 + foreign_store.CHILDREN)
PROGRAMS = "Scripts" if os.name == "nt" else "bin"
GIT = ("git", "-c", "user.name=Ann", "-c", "user.email=ann@example.org")
PACKAGES = "import sysconfig; print(sysconfig.get_path('purelib'))"
WHERE = "import core, history; print(core.__file__); print(history.__file__)"


class Installation:
    """A virtual environment in which the library is installed."""

    def __init__(self, folder: Path, borrow: bool) -> None:
        self.folder = folder
        self.place = folder.parent / "elsewhere"  # never the project's own checkout
        self.place.mkdir()
        self.run(sys.executable, "-m", "venv", str(folder))
        options = []
        if borrow:
            packages = self.python("-c", PACKAGES).strip()
            borrowed = sysconfig.get_path("purelib")
            Path(packages, "borrowed.pth").write_text(borrowed)
            options.append("--no-deps")
        install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        self.python(*install, *options, str(ROOT / "history"))

    def python(self, *arguments: str) -> str:
        """Run the environment's Python."""
        return self.run(str(self.folder / PROGRAMS / "python"), *arguments)

    def history(self, folder: Path, *arguments: str) -> str:
        """Run the library's program in a folder."""
        program = self.folder / PROGRAMS / "mlflow-history"
        return self.run(str(program), *arguments, folder=folder)

    def run(self, *command: str, folder: Path | None = None) -> str:
        """Run a program outside of the checkout, and return what it prints."""
        variables = dict(os.environ)
        for name in ("PYTHONPATH", "MLFLOW_TRACKING_URI"):
            variables.pop(name, None)
        process = subprocess.run(
            command,
            cwd=folder or self.place,
            env=variables | {"PYTHONUTF8": "1", "MLFLOW_DISABLE_TELEMETRY": "true"},
            capture_output=True,
            encoding="utf-8",
            check=False,
        )
        assert process.returncode == 0, process.stdout + process.stderr
        self.errors = process.stderr
        return process.stdout


@pytest.fixture(
    scope="module",
    params=[
        "with the packages of the tests",
        pytest.param("with its own packages", marks=pytest.mark.nightly),
    ],
)
def installed(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Installation:
    folder = tmp_path_factory.mktemp("alone")
    borrow = request.param == "with the packages of the tests"
    return Installation(folder / "environment", borrow)


def entities(installed: Installation, uri: str, artifacts: Path) -> dict[str, Any]:
    """Return all that MLflow's client shows of a store."""
    script = str(Path(mlflow_listing.__file__))
    listing: dict[str, Any] = json.loads(installed.python(script, uri, str(artifacts)))
    return listing


def test_a_foreign_store_comes_out_of_a_clone_as_it_was(
    installed: Installation, tmp_path: Path
) -> None:
    for file in installed.python("-c", WHERE).splitlines():
        assert Path(file).is_relative_to(installed.folder)
    store = tmp_path / "store"
    store.mkdir()
    uri = installed.python(foreign_store.__file__, str(store)).strip()

    repository = tmp_path / "repository"
    repository.mkdir()
    installed.run(*GIT, "init", "--quiet", folder=repository)
    folders = installed.history(repository, "import", "--from", uri).splitlines()
    assert len(folders) == RUNS
    missing = "1 registered model version is not imported (churn-model/1)"
    assert missing in installed.errors
    (repository / ".gitignore").write_text("mlruns/.local/\n")
    installed.run(*GIT, "add", ".", folder=repository)
    installed.run(*GIT, "commit", "--quiet", "-m", "runs", folder=repository)
    again = installed.history(repository, "import", "--from", uri).splitlines()
    assert again == folders
    status = installed.run(*GIT, "status", "--porcelain", folder=repository)
    assert status == ""

    before = entities(installed, uri, store)
    clone = tmp_path / "clone"
    installed.run(*GIT, "clone", "--quiet", str(repository), str(clone))
    shutil.rmtree(repository)
    shutil.rmtree(store)
    built = installed.history(clone, "build", "--db", "mlflow.db")
    assert f"{RUNS} runs ({RUNS} added, 0 removed)" in built
    assert f"{RUNS} runs, no fault." in installed.history(clone, "verify")
    database = f"sqlite:///{(clone / 'mlflow.db').as_posix()}"
    after = entities(installed, database, clone / "mlruns")
    assert sum(len(found["runs"]) for found in after["experiments"].values()) == RUNS
    assert after["experiments"] == before["experiments"]
