"""The environment of a commit's lock file: made once, and kept for the next run of it."""

import os
import shutil
from pathlib import Path

from filelock import FileLock

from core.errors import PipelineError
from core.files import sha256_file
from pipeline.repo import Repo
from pipeline.reproduce import programs
from pipeline.reproduce.interpreter import Interpreter

LOCK = "requirements/pipeline.txt"
MARKER = "installed"
_DIGITS = 12
_INSTALL = (
    "-m",
    "pip",
    "install",
    "--quiet",
    "--no-input",
    "--disable-pip-version-check",
    "--require-hashes",
    # The lock file has all of them.
    "--no-deps",
)


def install(repo: Repo, tree: Path, interpreter: Interpreter) -> Path:
    """Return the Python of an environment with the packages of a commit's lock file.

    It lies in `build/environments/`, which Git ignores. One that was not finished is
    made again.

    Args:
        repo: the checkout of the user.
        tree: the checkout of the commit.
        interpreter: the Python to make it with.

    Raises:
        PipelineError: the commit has no lock file, or it cannot be installed.
    """
    lock = tree / LOCK
    if not lock.is_file():
        raise PipelineError(
            f"the commit of the run has no lock file {LOCK}: `--here` makes the run"
            " again with the packages of today."
        )
    digest = sha256_file(lock)[:_DIGITS]
    folder = repo.build / "environments" / f"{interpreter.version}-{digest}"
    marker = folder / MARKER
    folder.parent.mkdir(parents=True, exist_ok=True)
    # Another reproduction may be making the same environment.
    with FileLock(f"{folder}.lock"):
        if not marker.is_file():
            shutil.rmtree(folder, ignore_errors=True)
            _make(folder, interpreter, lock)
            marker.touch()
    return python_of(folder)


def python_of(folder: Path) -> Path:
    """Return the Python of an environment."""
    if os.name == "nt":
        return folder / "Scripts" / "python.exe"
    return folder / "bin" / "python"


def _make(folder: Path, interpreter: Interpreter, lock: Path) -> None:
    new = [*interpreter.command, "-m", "venv", str(folder)]
    failure = programs.run(new, folder.parent)
    if failure:
        shutil.rmtree(folder, ignore_errors=True)
        raise PipelineError(
            f"Python {interpreter.version} cannot make a virtual environment"
            f" ({failure}): install its venv module, python3-venv on Debian."
        )
    python = str(python_of(folder))
    command = [python, *_INSTALL, "--requirement", str(lock)]
    failure = programs.run(command, folder.parent)
    if failure:
        shutil.rmtree(folder, ignore_errors=True)
        raise PipelineError(
            f"the lock file {LOCK} of the run's commit cannot be installed with Python"
            f" {interpreter.version} ({failure}): `--here` makes the run again with the"
            " packages of today."
        )
