"""The environment of the local processes, created anew when its lock file changes."""

import os
import subprocess
import sys
from pathlib import Path

from scripts.stack.settings import ROOT, Settings, StackError

LOCK = ROOT / "requirements" / "local.txt"
FOLDER = ROOT / ".venv"
MARK = FOLDER / "installed.txt"


def python(settings: Settings) -> Path:
    """Return the environment's Python, installing what is missing.

    Raises:
        StackError: it cannot be created, or a package cannot be installed.
    """
    program = FOLDER / "bin" / "python"
    if os.name == "nt":
        program = FOLDER / "Scripts" / "python.exe"
    if not program.exists() or not _is_installed():
        _install(program, settings)
    return program


def _install(program: Path, settings: Settings) -> None:
    what = "the packages of requirements/local.txt"
    print(f"installing {what} into {FOLDER.name} (once) …", flush=True)
    # The user may have configured pip to install elsewhere.
    variables = settings.for_local_services() | {"PIP_USER": "0"}
    for name in ("PIP_TARGET", "PIP_PREFIX"):
        variables.pop(name, None)
    venv = [sys.executable, "-m", "venv", "--clear", str(FOLDER)]
    done = subprocess.run(venv, env=variables, check=False)
    if done.returncode:
        raise StackError(
            "Python's venv module is missing: install it (on Debian python3-venv)."
        )
    pip = [
        str(program),
        "-m",
        "pip",
        "install",
        "--disable-pip-version-check",
        "--require-hashes",
        "-r",
        str(LOCK),
    ]
    if not sys.stdout.isatty():
        pip.append("--quiet")
    done = subprocess.run(pip, env=variables, check=False)
    if done.returncode:
        raise StackError(
            "the packages could not be installed; see above, then start again."
        )
    MARK.write_bytes(LOCK.read_bytes())


def _is_installed() -> bool:
    return MARK.is_file() and MARK.read_bytes() == LOCK.read_bytes()
