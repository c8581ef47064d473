"""Runs nox from its own environment, which is created if it is missing or outdated.

`nox.sh` and `nox.ps1` call this with their own name and the arguments for nox. Nothing
but Python needs to be installed.
"""

import os
import subprocess
import sys
from pathlib import Path

from scripts import console

LOCK = Path("requirements", "nox.txt")


class CannotInstall(Exception):
    """Nox' environment cannot be created; the text is a sentence with the reason."""


def main() -> int:
    """Run nox in the current folder and return its exit status."""
    script, *arguments = sys.argv[1:]
    try:
        nox = install() / "nox"
    except CannotInstall as error:
        print(f"{script}: {error}", file=sys.stderr)
        return 1
    command = [str(nox), *arguments]
    if os.environ.get("GITHUB_ACTIONS"):
        # Findings are annotated at their lines and summed up in a sentence.
        command = [sys.executable, "-m", "scripts.ci.report_failure", *command]
    # On Windows, output that is not a terminal has the encoding of the user's language.
    os.environ["PYTHONUTF8"] = "1"
    if os.name == "nt":  # where `exec` does not wait for the program
        done = subprocess.run(command, check=False)
        return done.returncode
    sys.stdout.flush()
    os.execvp(command[0], command)


def install() -> Path:
    """Return the folder of the environment's programs, with nox among them.

    Raises:
        CannotInstall: the environment cannot be created, or a package not installed.
    """
    folder = Path(os.environ.get("NOX_ENVDIR") or ".nox", "own")
    installed = folder / "installed.txt"
    locked = LOCK.read_bytes()
    if installed.is_file() and installed.read_bytes() == locked:
        return programs(folder)
    venv = [sys.executable, "-m", "venv", "--clear", str(folder)]
    _run(venv, f"{folder} cannot be made")
    pip = [
        str(programs(folder) / "python"),
        "-m",
        "pip",
        "install",
        "--quiet",
        "--require-hashes",
        "-r",
        str(LOCK),
    ]
    _run(pip, f"the packages of {LOCK.as_posix()} cannot be installed")
    installed.write_bytes(locked)
    return programs(folder)


def programs(folder: Path) -> Path:
    """Return the folder of an environment's programs, which Windows calls Scripts."""
    scripts = folder / "Scripts"
    if scripts.is_dir():
        return scripts
    return folder / "bin"


def _run(command: list[str], problem: str) -> None:
    done = subprocess.run(command, check=False)
    if done.returncode:
        raise CannotInstall(f"{problem}: see above.")


if __name__ == "__main__":
    sys.exit(console.run(main))
