"""The private environment of the local processes: made once, made anew when the lock
changes.
"""

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
        StackError: it cannot be made, or a package cannot be had.
    """
    program = FOLDER / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if program.exists() and MARK.is_file() and MARK.read_bytes() == LOCK.read_bytes():
        return program
    print(
        f"installing the packages of requirements/local.txt into {FOLDER.name} (once) …"
    )
    sys.stdout.flush()
    # The user may have pip install elsewhere.
    variables = settings.for_local_services() | {"PIP_USER": "0"}
    for name in ("PIP_TARGET", "PIP_PREFIX"):
        variables.pop(name, None)
    make = [sys.executable, "-m", "venv", "--clear", str(FOLDER)]
    if subprocess.run(make, env=variables, check=False).returncode:
        raise StackError(
            "Python's venv module is missing: install it (on Debian python3-venv)."
        )
    quiet = [] if sys.stdout.isatty() else ["--quiet"]
    pip = [str(program), "-m", "pip", "install", "--disable-pip-version-check", *quiet]
    locked = ["--require-hashes", "-r", str(LOCK)]
    if subprocess.run([*pip, *locked], env=variables, check=False).returncode:
        raise StackError(
            "the packages could not be installed; see above, then start again."
        )
    MARK.write_bytes(LOCK.read_bytes())
    return program
