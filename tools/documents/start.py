"""A stack for the rows: started as people start it, in a fresh clone, on ports that are
free.
"""

import hashlib
import json
import os
import secrets
import shlex
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from scripts.loopback import free_ports
from scripts.stack import checks
from scripts.stack.settings import JAEGER, PORTS, ROOT, StackError
from tools.documents import checkout, environment
from tools.documents.rows import metrics
from tools.documents.stack import Mode, Stack, with_python_first

# Another checkout's stack may run at the same time.
PROJECT = f"mlops-documents-{hashlib.sha256(str(ROOT).encode()).hexdigest()[:8]}"
LOG, READY = "start.log", "Ctrl-C or --stop ends it"
START_SECONDS = 600
COMMAND = (
    "./start-mlops.sh" if os.name == "posix" else "powershell -File start-mlops.ps1"
)


def usual_mode() -> Mode:
    """Return containers where there is an engine, else local."""
    return "local" if checks.docker().remedy else "containers"


@contextmanager
def started(mode: Mode) -> Iterator[Stack]:
    """Start a stack in a clone of this checkout; end it and leave nothing behind.

    Raises:
        StackError: it cannot be started.
    """
    docker = checks.docker()
    if mode == "containers" and docker.remedy:
        raise StackError(f"Docker {docker.found}: use --mode local.")
    # Files that a container has written may belong to another user, and then stay.
    with tempfile.TemporaryDirectory(
        prefix="documents-", ignore_cleanup_errors=True
    ) as name:
        folder = Path(name)
        checkout.copy_to(folder / "checkout")
        metrics.turn_on(folder / "checkout")
        run = _containers if mode == "containers" else _local
        with run(folder) as stack:
            yield stack


def variables(ports: dict[str, int], key: str) -> dict[str, str]:
    """Return the environment of a stack: this process' own, without what would lead
    elsewhere.
    """
    kept = {
        name: text
        for name, text in os.environ.items()
        if not name.startswith("COMPOSE_")
    }
    numbers = {PORTS[service][0]: str(port) for service, port in ports.items()}
    return with_python_first(kept | numbers | {"API_ADMIN_KEY": key})


@contextmanager
def _containers(folder: Path) -> Iterator[Stack]:
    ports, key = _free_ports(), secrets.token_urlsafe()
    tracing = {"COMPOSE_PROFILES": "tracing", "OTEL_EXPORTER_OTLP_ENDPOINT": JAEGER}
    own = {"COMPOSE_PROJECT_NAME": PROJECT, "OWNER": PROJECT} | tracing
    stack = Stack(
        "containers", folder / "checkout", ports, variables(ports, key) | own, key
    )
    absent = images_not_to_be_had(stack)
    stack = without(stack, absent, folder / "absent.yml")
    down = "docker compose --profile '*' down --volumes --remove-orphans"
    _call(stack, down)  # of a call that was killed
    left_out = " ".join(f"--without {service}" for service in absent)
    try:
        _start(stack, f"{COMMAND} --with tracing {left_out}")
        yield running(stack)
    finally:
        _call(stack, down)


def _start(stack: Stack, command: str) -> None:
    try:
        _call(stack, command)
    except StackError as error:
        logs = _call(stack, "docker compose logs --no-color --tail 20")
        raise StackError(f"{error}\n{logs}") from error


def images_not_to_be_had(stack: Stack) -> list[str]:
    """Return the services of which the image is neither on this machine nor in its
    registry.
    """
    config = json.loads(_call(stack, "docker compose config --format json"))
    found = []
    for service, about in config["services"].items():
        if "build" in about:
            continue
        pull = ["docker", "compose", "pull", "--quiet", "--policy", "missing", service]
        if subprocess.run(pull, **stack.options(), check=False).returncode:
            found.append(service)
    return found


def without(stack: Stack, services: list[str], file: Path) -> Stack:
    """Return a stack in which a plain `docker compose up` leaves services out, by a
    second file.
    """
    lines = [f"  {service}: {{ profiles: [absent] }}\n" for service in services]
    file.write_text("services:\n" + "".join(lines) if lines else "{}\n", "utf-8")
    files = os.pathsep.join(["docker-compose.yml", str(file)])
    return replace(stack, environment={**stack.environment, "COMPOSE_FILE": files})


def running(stack: Stack) -> Stack:
    """Return a stack with the ports of those services alone that run."""
    there = _call(stack, "docker compose ps --services --status running").split()
    ports = {service: port for service, port in stack.ports.items() if service in there}
    return replace(stack, ports=ports)


@contextmanager
def _local(folder: Path) -> Iterator[Stack]:
    ports, key = _free_ports(), secrets.token_urlsafe()
    stack = Stack("local", folder / "checkout", ports, variables(ports, key), key)
    environment.lend(stack.checkout)
    log = folder / LOG
    with log.open("wb") as stream:
        options = stack.options() | {"stdout": stream}
        with subprocess.Popen(shlex.split(f"{COMMAND} --local"), **options) as process:
            try:
                _await_start(process, log)
                state = json.loads(
                    (stack.checkout / "build" / "stack-0.json").read_text("utf-8")
                )
                there = {name: port for name, port in ports.items() if name in state}
                yield replace(stack, ports=there)
            finally:
                if process.poll() is None:
                    _call(stack, f"{COMMAND} --stop")


def _await_start(process: "subprocess.Popen[str]", log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while READY not in (said := log.read_text("utf-8", "replace")):
        if process.poll() is not None or time.monotonic() > deadline:
            raise StackError(f"the stack did not start:\n{said}")
        time.sleep(0.5)


def _call(stack: Stack, command: str) -> str:
    done = subprocess.run(shlex.split(command), **stack.options(), check=False)
    if done.returncode:
        raise StackError(f"`{command}` failed:\n{done.stdout}")
    return str(done.stdout)


def _free_ports() -> dict[str, int]:
    return dict(zip(PORTS, free_ports(len(PORTS)), strict=True))
