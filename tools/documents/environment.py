"""The packages of a local stack, shared by the environment that runs this program."""

import os
import shutil
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from packaging.requirements import Requirement


def lend(checkout: Path) -> None:
    """Let a checkout's local stack use this environment, if it has the locked packages.

    Otherwise the start script installs them, as after any clone.
    """
    lock = checkout / "requirements" / "local.txt"
    if os.name != "posix" or not has_packages(lock):
        return
    python = checkout / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n', "utf-8")
    python.chmod(0o755)
    shutil.copyfile(lock, checkout / ".venv" / "installed.txt")


def has_packages(lock: Path) -> bool:
    """Return whether this environment has all packages of a lock file, as locked."""
    for line in lock.read_text("utf-8").splitlines():
        if line[:1].isalpha():
            requirement = Requirement(line.rstrip(" \\"))
            if not _has(requirement):
                return False
    return True


def _has(requirement: Requirement) -> bool:
    if requirement.marker and not requirement.marker.evaluate():
        return True
    try:
        return version(requirement.name) in requirement.specifier
    except PackageNotFoundError:
        return False
