"""A clone that can start the local stack: with this project's code, nothing to install."""

import os
import shutil
import sys
from pathlib import Path

from pipeline.repo import Repo

ROOT = Path(__file__).parents[1]
PARTS = ("app", "pipeline", "scripts", "requirements", "monitoring")


def prepare(repo: Repo) -> None:
    """Give a clone this project's code, and an environment that is installed already."""
    for part in PARTS:
        shutil.copytree(ROOT / part, repo.root / part, dirs_exist_ok=True)
    shutil.copy(ROOT / "docker-compose.yml", repo.root)
    environment = repo.root / ".venv"
    environment.mkdir()
    if os.name == "nt":
        _link_this_environment(environment)
    else:
        python = environment / "bin" / "python"
        python.parent.mkdir()
        python.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
        python.chmod(0o755)
    shutil.copy(repo.root / "requirements" / "local.txt", environment / "installed.txt")


def _link_this_environment(environment: Path) -> None:
    """Let `Scripts/python.exe` be the Python that runs the tests, with its packages."""
    programs = Path(sys.executable).parent
    os.symlink(programs, environment / "Scripts", target_is_directory=True)
    if (settings := programs.parent / "pyvenv.cfg").is_file():
        shutil.copy(settings, environment)
        os.symlink(programs.parent / "Lib", environment / "Lib", target_is_directory=True)
