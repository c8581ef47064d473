"""The library `history` alone: installed by pip, with the MLflow store of another user.

A store of 50 runs is imported by the console script, committed, cloned elsewhere and
built there; MLflow's client must show every run and model as it was.
"""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
from functools import partial
from pathlib import Path

import pytest

from tests.paths import ROOT
from tests.support import foreign_store, mlflow_listing
from tests.support.json_content import Json

# To install all of MLflow's packages may take longer than the usual time limit.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

RUNS = foreign_store.PARENTS * (1 + foreign_store.CHILDREN)
PROGRAMS = "Scripts" if os.name == "nt" else "bin"
GIT = ("git", "-c", "user.name=Ann", "-c", "user.email=ann@example.org")
PACKAGES = "import sysconfig; print(sysconfig.get_path('purelib'))"
SETTINGS = {"PYTHONUTF8": "1", "MLFLOW_DISABLE_TELEMETRY": "true"}
WHERE = "import core, history; print(core.__file__); print(history.__file__)"


class Installation:
    """A virtual environment in which the library is installed.

    Args:
        borrow: use the packages of the tests instead of installing others.

    Attributes:
        errors: what the last program printed on its standard error.
    """

    def __init__(self, folder: Path, borrow: bool) -> None:
        self.folder = folder
        self.place = folder.parent / "elsewhere"  # outside of the checkout
        self.place.mkdir()
        self.run(sys.executable, "-m", "venv", str(folder))
        install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        if borrow:
            install.append("--no-deps")
            self._add_packages_of_the_tests()
        self.python(*install, str(ROOT / "history"))

    def _add_packages_of_the_tests(self) -> None:
        packages = self.python("-c", PACKAGES).strip()
        borrowed = sysconfig.get_path("purelib")
        Path(packages, "borrowed.pth").write_text(borrowed)

    def python(self, *arguments: str) -> str:
        """Run the environment's Python."""
        return self.run(str(self.folder / PROGRAMS / "python"), *arguments)

    def history(self, folder: Path, *arguments: str) -> str:
        """Run the library's program in a folder."""
        program = self.folder / PROGRAMS / "mlflow-history"
        return self.run(str(program), *arguments, folder=folder)

    def run(self, *command: str, folder: Path | None = None) -> str:
        """Run a program outside of the checkout, and return what it prints."""
        variables = os.environ | SETTINGS
        variables.pop("PYTHONPATH", None)
        variables.pop("MLFLOW_TRACKING_URI", None)
        process = subprocess.run(
            command,
            cwd=folder or self.place,
            env=variables,
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


def listing(
    installed: Installation,
    uri: str,
    artifacts: Path,
) -> Json:
    """Return all that MLflow's client shows of a store, by experiment."""
    script = str(Path(mlflow_listing.__file__))
    output = installed.python(script, uri, str(artifacts))
    experiments: Json = json.loads(output)["experiments"]
    return experiments


def commit_history(
    installed: Installation,
    repository: Path,
    uri: str,
) -> None:
    """Import a store into a new repository, and commit the runs."""
    git = partial(installed.run, *GIT, folder=repository)
    repository.mkdir()
    git("init", "--quiet")
    folders = installed.history(repository, "import", "--from", uri).splitlines()
    assert len(folders) == RUNS
    versions = "1 registered model version is not imported (churn-model/1)"
    assert versions in installed.errors
    (repository / ".gitignore").write_text("mlruns/.local/\n")
    git("add", ".")
    git("commit", "--quiet", "-m", "Add runs")
    again = installed.history(repository, "import", "--from", uri).splitlines()
    assert again == folders
    assert git("status", "--porcelain") == ""


def test_the_installed_packages_are_imported(installed: Installation) -> None:
    for file in installed.python("-c", WHERE).splitlines():
        assert Path(file).is_relative_to(installed.folder)


@pytest.mark.nightly
def test_a_foreign_store_is_equal_in_a_clone(
    installed: Installation, tmp_path: Path
) -> None:
    store = tmp_path / "store"
    store.mkdir()
    uri = installed.python(foreign_store.__file__, str(store)).strip()
    repository = tmp_path / "repository"
    commit_history(installed, repository, uri)
    before = listing(installed, uri, store)

    clone = tmp_path / "clone"
    installed.run(*GIT, "clone", "--quiet", str(repository), str(clone))
    shutil.rmtree(repository)
    shutil.rmtree(store)
    output = installed.history(clone, "build", "--db", "mlflow.db")
    assert f"{RUNS} runs ({RUNS} added, 0 removed)" in output
    assert f"{RUNS} runs, no fault." in installed.history(clone, "verify")
    database = f"sqlite:///{(clone / 'mlflow.db').as_posix()}"
    after = listing(installed, database, clone / "mlruns")
    counts = [len(experiment["runs"]) for experiment in after.values()]
    assert sum(counts) == RUNS
    assert after == before
