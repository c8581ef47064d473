"""A clone that can start the local stack: with this project's code, nothing to install."""

import os
import shutil
import sys
from pathlib import Path

from pipeline.repo import Repo
from tests.paths import ROOT
from tools.documents import environment

PARTS = ("app", "core", "history", "pipeline", "scripts", "requirements", "monitoring")


def prepare(repo: Repo) -> None:
    """Give a clone this project's code, and an environment that is installed already."""
    for part in PARTS:
        shutil.copytree(ROOT / part, repo.root / part, dirs_exist_ok=True)
    shutil.copy(ROOT / "docker-compose.yml", repo.root)
    if os.name == "nt":
        _link_this_environment(repo.root / ".venv")
        shutil.copy(
            repo.root / "requirements" / "local.txt",
            repo.root / ".venv" / "installed.txt",
        )
    else:
        environment.lend(repo.root)


def _link_this_environment(folder: Path) -> None:
    """Make what `venv` makes, with the packages of the Python that runs the tests."""
    home, programs = Path(sys.base_prefix), folder / "Scripts"
    programs.mkdir(parents=True)
    for file in home.iterdir():
        if file.is_file():
            shutil.copy(file, programs)
    root = programs  # of a Python without an installer, which has its library in a zip beside it
    if (home / "Lib" / "os.py").is_file():
        root = folder
        (folder / "pyvenv.cfg").write_text(f"home = {home}\n", "utf-8")
    packages = root / "Lib" / "site-packages"
    packages.mkdir(parents=True)
    paths = [path for path in sys.path if path.endswith("site-packages")]
    (packages / "tests.pth").write_text("\n".join(paths), "utf-8")
