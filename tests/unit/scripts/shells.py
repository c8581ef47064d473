"""Calls of the shell scripts, and of those for PowerShell."""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import posix
from tests.paths import ROOT

# A program that is not on the PATH may be named by this variable.
PWSH = os.environ.get("MLOPS_PWSH") or shutil.which("pwsh") or ""
powershell = pytest.mark.skipif(not PWSH, reason="there is no PowerShell: install pwsh")


def run(*command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=ROOT,
        env=os.environ | {"COLUMNS": "80", "NO_COLOR": "1"} | variables,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


def shell(
    script: str, *arguments: str, **variables: str
) -> subprocess.CompletedProcess[str]:
    return run("bash", f"{script}.sh", *arguments, **variables)


def pwsh(
    script: str, *arguments: str, **variables: str
) -> subprocess.CompletedProcess[str]:
    return run(PWSH, "-NoProfile", "-File", f"{script}.ps1", *arguments, **variables)


Call = Callable[..., subprocess.CompletedProcess[str]]
BOTH = [
    pytest.param(shell, "sh", id="sh", marks=posix),
    # The same on every Python, and a second each.
    pytest.param(pwsh, "ps1", id="ps1", marks=[powershell, pytest.mark.slow]),
]


def put(program: Path, script: str) -> None:
    """Write a program."""
    program.write_text(f"#!/bin/sh\n{script}\n", "utf-8")
    program.chmod(0o755)


def first(folder: Path) -> dict[str, str]:
    """Return the variable with which a folder's programs come before all others."""
    path = os.environ["PATH"]
    return {"PATH": f"{folder}{os.pathsep}{path}"}
