"""What this computer has for the course: a line each, with what to do if it lacks it."""

import platform
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from core.errors import PipelineError
from core.git import git

GIT = (2, 38)
PYTHON = (3, 11)
PORTS = {8000: "the API", 5000: "MLflow", 9090: "Prometheus", 3000: "Grafana"}


@dataclass(frozen=True)
class Finding:
    """What was looked at.

    Attributes:
        name: what it is.
        seen: how it is.
        ok: whether it is as the course wants it.
        needed: whether the course cannot be followed without it.
        remedy: what to do if it is not.
    """

    name: str
    seen: str
    ok: bool
    needed: bool
    remedy: str


def examine(root: Path) -> list[Finding]:
    """Look at this computer and the checkout."""
    looks: tuple[Callable[[Path], Finding], ...] = (
        _git,
        _python,
        _line_ends,
        _long_paths,
        _ports,
        _docker,
        _promtool,
    )
    return [look(root) for look in looks]


def _git(root: Path) -> Finding:
    try:
        text = git(root, "version")
    except PipelineError:
        text = "none"
    numbers = re.findall(r"\d+", text)
    version = tuple(int(number) for number in numbers[:2])
    seen = ".".join(numbers[:3]) or "none"
    remedy = f"install Git {GIT[0]}.{GIT[1]} or newer from https://git-scm.com"
    return Finding("Git", seen, version >= GIT, True, remedy)


def _python(_: Path) -> Finding:
    remedy = f"install Python {PYTHON[0]}.{PYTHON[1]} or newer from https://python.org"
    ok = sys.version_info[:2] >= PYTHON
    return Finding("Python", platform.python_version(), ok, True, remedy)


def _line_ends(root: Path) -> Finding:
    with_returns = []
    for name in git(root, "ls-files", "--", "*.sh").splitlines():
        path = root / name
        if path.is_file() and b"\r\n" in path.read_bytes():
            with_returns.append(name)
    seen = "LF in *.sh"
    if with_returns:
        seen = f"{with_returns[0]} has those of Windows"
    remedy = "`git config core.autocrlf false`, then `git rm --cached -rq .`, then"
    remedy += " `git reset --hard`"
    return Finding("line ends", seen, not with_returns, True, remedy)


def _long_paths(root: Path) -> Finding:
    length = len(str(root))
    remedy = "clone into a folder with a short name, such as C:\\mlops"
    ok = sys.platform != "win32" or length < 60
    return Finding("path of the checkout", f"{length} characters", ok, False, remedy)


def _ports(_: Path) -> Finding:
    taken = []
    for port, user in PORTS.items():
        with socket.socket() as probe:
            probe.settimeout(0.2)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                taken.append(f"{port} ({user})")
    seen = "free"
    if taken:
        users = ", ".join(taken)
        seen = f"taken: {users}"
    remedy = "stop what listens there, or choose others in .env: see .env.example"
    return Finding("ports", seen, not taken, False, remedy)


def _docker(_: Path) -> Finding:
    remedy = "not needed; with it you see Grafana, and lesson 10 can be checked"
    if not shutil.which("docker"):
        return Finding("Docker", "not installed", False, False, remedy)
    command = ["docker", "version", "--format", "{{.Server.Version}}"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=5)
    except (subprocess.TimeoutExpired, OSError):
        return Finding("Docker", "does not answer", False, False, remedy)
    version = done.stdout.strip()
    ok = done.returncode == 0
    return Finding("Docker", version or "not running", ok, False, remedy)


def _promtool(_: Path) -> Finding:
    path = shutil.which("promtool")
    remedy = (
        "not needed if there is Docker; without both, lesson 10 is checked on GitHub"
    )
    return Finding("promtool", path or "not installed", bool(path), False, remedy)
