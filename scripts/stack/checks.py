"""What must hold before a start; each check says what is wrong and what to do."""

import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass

from scripts.stack.settings import HOST, ROOT, Settings

DISK_BYTES = {"docker": 6_000_000_000, "local": 3_000_000_000}
SECONDS = 30


@dataclass(frozen=True)
class Check:
    """One thing that was looked at; `remedy` is empty if all is well."""

    name: str
    found: str
    remedy: str = ""


def docker() -> Check:
    """Look for a running Docker Engine with Compose v2."""
    if not shutil.which("docker"):
        return Check("Docker", "not installed", "install it, or go on without it: --local.")
    engine = _run("docker", "info", "--format", "{{.ServerVersion}}")
    if engine is None:
        return Check(
            "Docker", "does not answer", "start Docker Desktop or the service, or use --local."
        )
    compose = _run("docker", "compose", "version", "--short")
    if compose is None or compose.lstrip("v").startswith("1."):
        remedy = "install the plug-in docker-compose (v2), or use --local."
        return Check("Docker", f"engine {engine} without Compose v2", remedy)
    return Check("Docker", f"engine {engine}, Compose {compose}")


def all_of(settings: Settings, mode: str, services: list[str]) -> Iterator[Check]:
    """Check everything that a start in a mode needs."""
    version = ".".join(map(str, sys.version_info[:3]))
    old = sys.version_info < (3, 11)
    yield Check("Python", version, "install Python 3.11 or newer." if old else "")
    yield _checkout()
    yield _disk(mode)
    if mode == "docker":
        yield docker()
    for service in services:
        yield _port(settings, service)


def _checkout() -> Check:
    models = len(list(ROOT.glob("deployment/models/*/manifest.json")))
    runs = len(list(ROOT.glob("mlruns/*/*/*/run.json")))
    found = f"{models} models, {runs} runs"
    if not (ROOT / "pipeline").is_dir() or not (ROOT / "docker-compose.yml").is_file():
        return Check("Checkout", f"{ROOT} is incomplete", "clone the repository again.")
    return Check("Checkout", found)


def _disk(mode: str) -> Check:
    free, needed = shutil.disk_usage(ROOT).free, DISK_BYTES[mode]
    remedy = "" if free > needed else f"make room: {needed / 1e9:.0f} GB are needed at first."
    return Check("Disk", f"{free / 1e9:.1f} GB free", remedy)


def _port(settings: Settings, service: str) -> Check:
    port = settings.port(service)
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return Check(
                f"Port {port}",
                f"taken, {service} needs it",
                "stop the other program, or use --port-offset 100.",
            )
    return Check(f"Port {port}", f"free for {service}")


def _run(*command: str) -> str | None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
