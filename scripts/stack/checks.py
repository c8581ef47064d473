"""What must hold before a start; each check says what is wrong and what to do."""

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

from scripts.stack.settings import HOST, ROOT, Settings

# The first version with wheels of all packages, and the first without; the scripts
# look, too.
OLDEST, TOO_NEW = (3, 11), (3, 15)
# The systems that there are wheels for, as Python names them.
PLATFORMS = {
    "Linux": ("x86_64", "aarch64"),
    "Darwin": ("arm64",),
    "Windows": ("AMD64",),
}
# cAdvisor 0.56 and newer ask the engine with version 1.44 of its API, which came with
# Docker 25.
CADVISOR_ENGINE = 25
DISK_BYTES = {"docker": 6_000_000_000, "local": 3_000_000_000}
SECONDS = 30


@dataclass(frozen=True)
class Check:
    """One thing that was looked at; `remedy` is empty if all is well.

    What is only `optional` is said, but ends no start.
    """

    name: str
    found: str
    remedy: str = ""
    optional: bool = False


def docker() -> Check:
    """Look for a running Docker Engine with Compose v2."""
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
    compose = _run("docker", "compose", "version", "--short")
    if compose is None or compose.lstrip("v").startswith("1."):
        remedy = "install the plug-in docker-compose (v2), or use --local."
        return Check("Docker", f"engine {engine} without Compose v2", remedy)
    return Check("Docker", f"engine {engine}, Compose {compose}")


def all_of(settings: Settings, mode: str, services: list[str]) -> Iterator[Check]:
    """Check everything that a start in a mode needs."""
    yield _python()
    if mode == "local":
        yield _platform()
    yield _git()
    yield _checkout()
    yield _disk(mode)
    if mode == "docker":
        found = docker()
        yield found
        if "cadvisor" in services:
            yield _cadvisor(found)
    for service in services:
        yield _port(settings, service, mode)


def _python() -> Check:
    version = ".".join(map(str, sys.version_info[:3]))
    suits = OLDEST <= sys.version_info < TOO_NEW
    remedy = f"install Python {OLDEST[0]}.{OLDEST[1]} to {TOO_NEW[0]}.{TOO_NEW[1] - 1}."
    return Check("Python", version, "" if suits else remedy)


def _platform() -> Check:
    system, machine = platform.system(), platform.machine()
    found = f"{system} on {machine}"
    supported = machine in PLATFORMS.get(system, ())
    if system == "Linux" and platform.libc_ver()[0] != "glibc":
        found += " without glibc"
        supported = False
    remedy = "" if supported else "use Docker, packages are missing here."
    return Check("Platform", found, remedy)


def _git() -> Check:
    version = _run("git", "--version")
    if version is None:
        return Check("Git", "not installed", "install it.")
    return Check("Git", version.removeprefix("git version "))


def _checkout() -> Check:
    models = len(list(ROOT.glob("deployment/models/*/manifest.json")))
    runs = len(list(ROOT.glob("mlruns/*/*/*/run.json")))
    found = f"{models} models, {runs} runs"
    if not (ROOT / "pipeline").is_dir() or not (ROOT / "docker-compose.yml").is_file():
        return Check("Checkout", f"{ROOT} is incomplete", "clone the repository again.")
    return Check("Checkout", found)


def _disk(mode: str) -> Check:
    free = shutil.disk_usage(ROOT).free
    needed = DISK_BYTES[mode]
    remedy = ""
    if free <= needed:
        remedy = f"make room: {needed / 1e9:.0f} GB are needed at first."
    return Check("Disk", f"{free / 1e9:.1f} GB free", remedy)


def _cadvisor(engine: Check) -> Check:
    version = re.search(r"engine (\d+)", engine.found)
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
    if refusal := _refusal(port, mode):
        remedy = "stop the other program, or use --port-offset 100."
        return Check(f"Port {port}", f"{refusal}, {service} needs it", remedy)
    return Check(f"Port {port}", f"free for {service}")


def _refusal(port: int, mode: str) -> str:
    """Return why a port cannot be had; nothing if it can."""
    with socket.socket() as probe:
        option = socket.SO_REUSEADDR
        if os.name == "nt":  # where this would share the port with another program
            option = getattr(socket, "SO_EXCLUSIVEADDRUSE")
        probe.setsockopt(socket.SOL_SOCKET, option, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            if os.name == "nt" or error.errno != errno.EACCES:
                return "in use"
            # The engine may take ports below 1024 even if this user may not.
            return "" if mode == "docker" else "not allowed to this user"
    if os.name == "nt":
        return ""
    # Beside a program that has the port at every address, macOS would let ours have it
    # at one.
    with socket.socket() as probe:
        return "in use" if probe.connect_ex((HOST, port)) == 0 else ""


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
    return done.stdout.strip() if done.returncode == 0 else None
