"""Checks before a start; each explains what is wrong and what to do."""

import errno
import os
import platform
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass

from core.counts import counted
from scripts.stack.settings import HOST, ROOT, Settings

# The first version with wheels of all packages, and the first without. The shell
# scripts check it too.
OLDEST = (3, 11)
TOO_NEW = (3, 15)
PYTHON_REMEDY = "install Python 3.11 to 3.14."
# The systems with wheels, as Python names them.
PLATFORMS = {
    "Linux": ("x86_64", "aarch64"),
    "Darwin": ("arm64",),
    "Windows": ("AMD64",),
}
# cAdvisor 0.56 and newer use version 1.44 of the engine's API, which Docker 25
# introduced.
CADVISOR_ENGINE = 25
# The first version with dependencies that are not required.
OLDEST_COMPOSE = (2, 20, 2)
DISK_BYTES = {"docker": 6_000_000_000, "local": 3_000_000_000}
SECONDS = 30


@dataclass(frozen=True)
class Check:
    """The result of one check.

    Attributes:
        state: what the check found.
        remedy: what to do, empty if nothing is wrong.
        optional: a failure is reported, but does not prevent a start.
    """

    name: str
    state: str
    remedy: str = ""
    optional: bool = False


def docker() -> Check:
    """Look for a running Docker Engine with a Compose that is new enough."""
    if not shutil.which("docker"):
        return Check(
            "Docker", "not installed", "install it, or go on without it: --local."
        )
    engine = _run("docker", "info", "--format", "{{.ServerVersion}}")
    if engine is None:
        return Check(
            "Docker",
            "does not answer",
            "start Docker Desktop or the service, or use --local.",
        )
    compose = _run("docker", "compose", "version", "--short") or "none"
    state = f"engine {engine}, Compose {compose}"
    remedy = ""
    if is_too_old(compose):
        oldest = ".".join(map(str, OLDEST_COMPOSE))
        remedy = (
            f"install the plug-in docker-compose {oldest} or newer, or use --local."
        )
    return Check("Docker", state, remedy)


def is_too_old(compose: str) -> bool:
    """Return whether there is no Compose, or one that rejects docker-compose.yml."""
    version = re.match(r"v?(\d+)\.(\d+)\.(\d+)", compose)
    if version is None:
        return compose == "none"
    numbers = tuple(int(part) for part in version.groups())
    return numbers < OLDEST_COMPOSE


def all_of(settings: Settings, mode: str, services: list[str]) -> Iterator[Check]:
    """Check everything that a start in a mode needs."""
    yield _python()
    if mode == "local":
        yield _platform()
    yield _git()
    yield _checkout()
    yield _disk(mode)
    if mode == "docker":
        engine = docker()
        yield engine
        if "cadvisor" in services:
            yield _cadvisor(engine)
    for service in services:
        yield _port(settings, service, mode)


def _python() -> Check:
    version = ".".join(map(str, sys.version_info[:3]))
    if OLDEST <= sys.version_info < TOO_NEW:
        return Check("Python", version)
    return Check("Python", version, PYTHON_REMEDY)


def _platform() -> Check:
    system = platform.system()
    machine = platform.machine()
    state = f"{system} on {machine}"
    supported = machine in PLATFORMS.get(system, ())
    library, _ = platform.libc_ver()
    if system == "Linux" and library != "glibc":
        state += " without glibc"
        supported = False
    remedy = "" if supported else "use Docker, packages are missing here."
    return Check("Platform", state, remedy)


def _git() -> Check:
    version = _run("git", "--version")
    if version is None:
        return Check("Git", "not installed", "install it.")
    return Check("Git", version.removeprefix("git version "))


def _checkout() -> Check:
    for name in ("pipeline", "docker-compose.yml"):
        if not (ROOT / name).exists():
            remedy = "clone the repository again."
            return Check("Checkout", f"{ROOT} is incomplete", remedy)
    models = list(ROOT.glob("deployment/models/*/manifest.json"))
    runs = list(ROOT.glob("mlruns/*/*/*/run.json"))
    counts = f"{counted(len(models), 'model')}, {counted(len(runs), 'run')}"
    return Check("Checkout", counts)


def _disk(mode: str) -> Check:
    free = shutil.disk_usage(ROOT).free
    needed = DISK_BYTES[mode]
    remedy = ""
    if free <= needed:
        remedy = f"make room: {needed / 1e9:.0f} GB are needed at first."
    return Check("Disk", f"{free / 1e9:.1f} GB free", remedy)


def _cadvisor(engine: Check) -> Check:
    version = re.search(r"engine (\d+)", engine.state)
    if version is None or int(version[1]) >= CADVISOR_ENGINE:
        return Check("cAdvisor", "can ask the engine")
    return Check(
        "cAdvisor",
        f"finds no container with an engine older than {CADVISOR_ENGINE}",
        "upgrade Docker, or use --without cadvisor.",
        optional=True,
    )


def _port(settings: Settings, service: str, mode: str) -> Check:
    port = settings.port(service)
    refusal = _refusal(port, mode)
    if refusal:
        remedy = "stop the other program, or use --port-offset 100."
        return Check(f"Port {port}", f"{refusal}, {service} needs it", remedy)
    return Check(f"Port {port}", f"free for {service}")


def _refusal(port: int, mode: str) -> str:
    """Return why a port cannot be used; nothing if it can."""
    with socket.socket() as probe:
        option = socket.SO_REUSEADDR
        if os.name == "nt":  # where SO_REUSEADDR shares the port with other programs
            option = getattr(socket, "SO_EXCLUSIVEADDRUSE")
        probe.setsockopt(socket.SOL_SOCKET, option, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            if os.name == "nt" or error.errno != errno.EACCES:
                return "in use"
            # The engine may use ports below 1024 even if this user may not.
            return "" if mode == "docker" else "not allowed to this user"
    if os.name == "nt":
        return ""
    # On macOS, binding to one address succeeds beside a program that uses the port at
    # all addresses.
    with socket.socket() as probe:
        answers = probe.connect_ex((HOST, port)) == 0
    return "in use" if answers else ""


def _run(*command: str) -> str | None:
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    if done.returncode:
        return None
    return done.stdout.strip()
