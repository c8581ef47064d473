"""The Python that a run was made with, if it is installed."""

import platform
import shutil
import subprocess
import sys
from dataclasses import dataclass

_PRINT_VERSION = "import platform; print(platform.python_version())"


@dataclass(frozen=True)
class Interpreter:
    """An installed Python: the command that starts it, and its version."""

    command: tuple[str, ...]
    version: str


def running() -> Interpreter:
    """Return the Python that runs this program."""
    return Interpreter((sys.executable,), platform.python_version())


def choose(version: str) -> Interpreter:
    """Return the Python of a version, or else the nearest one that is installed.

    That is one of the same minor version, whose bytecode and wheels are the same; or
    the one that runs this program.

    Args:
        version: the version of the run, such as `3.11.7`; empty if it is not known.
    """
    own = running()
    minor = _minor(version)
    same_minor = [own] if _minor(own.version) == minor else []
    if own.version != version and minor:
        same_minor += _installed(minor)
    for interpreter in same_minor:
        if interpreter.version == version:
            return interpreter
    return same_minor[0] if same_minor else own


def _minor(version: str) -> str:
    """Return a version without its last part."""
    return ".".join(version.split(".")[:2])


def _installed(minor: str) -> list[Interpreter]:
    """Return the Pythons of a minor version that the PATH and Windows' launcher have."""
    commands: list[tuple[str, ...]] = []
    program = shutil.which(f"python{minor}")
    if program:
        commands.append((program,))
    launcher = shutil.which("py")
    if launcher:
        commands.append((launcher, f"-{minor}"))
    interpreters = []
    for command in commands:
        done = subprocess.run(
            [*command, "-c", _PRINT_VERSION],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
        )
        version = done.stdout.strip()
        if not done.returncode and _minor(version) == minor:
            interpreters.append(Interpreter(command, version))
    return interpreters
