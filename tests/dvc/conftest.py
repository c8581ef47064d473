"""Real DVC: `nox -s dvc` installs it and passes the folder with its programs."""

import os
import shutil
from pathlib import Path

import pytest

from tests.dvc import project
from tests.dvc.project import Project


@pytest.fixture(scope="session")
def programs() -> Path:
    """The folder with the programs of `requirements/dvc.txt`."""
    folder = os.environ.get("DVC_PROGRAMS")
    if folder:
        return Path(folder)
    installed = shutil.which("dvc")
    if installed is None:
        pytest.skip("dvc is not on this machine")
    return Path(installed).parent


@pytest.fixture
def fresh(tmp_path_factory: pytest.TempPathFactory, programs: Path) -> Project:
    """A project in which nothing was run.

    Its folder is not `tmp_path`: DVC's cache has longer paths than Windows allows.
    """
    folder = tmp_path_factory.mktemp("dvc")
    return project.make(folder / "checkout", programs, folder / "home")


@pytest.fixture(scope="module")
def reproduced(tmp_path_factory: pytest.TempPathFactory, programs: Path) -> Project:
    """A project after its first `dvc repro`, with `dvc.lock` committed."""
    folder = tmp_path_factory.mktemp("dvc")
    first = project.make(folder / "checkout", programs, folder / "home")
    first.dvc("repro")
    project.commit_all(first.root, "chore: run all stages")
    return first
