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
    """Make what `venv` makes, with the packages of the Python that runs the tests."""
    home, programs = Path(sys.base_prefix), environment / "Scripts"
    programs.mkdir()
    for file in home.iterdir():
        if file.is_file():
            shutil.copy(file, programs)
    root = programs  # of a Python without an installer, which has its library in a zip beside it
    if (home / "Lib" / "os.py").is_file():
        root = environment
        (environment / "pyvenv.cfg").write_text(f"home = {home}\n", "utf-8")
    packages = root / "Lib" / "site-packages"
    packages.mkdir(parents=True)
    paths = [path for path in sys.path if path.endswith("site-packages")]
    (packages / "tests.pth").write_text("\n".join(paths), "utf-8")
