"""A stack for the rows, started as users start it: in a fresh clone, on free ports."""

import hashlib
import json
import os
import secrets
import shlex
import subprocess
import tempfile
import time
from collections.abc import Container, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from scripts.loopback import free_ports
from scripts.stack import checks
from scripts.stack.settings import JAEGER, PORTS, ROOT, StackError
from tools.compose import leave_out
from tools.documents import checkout, environment
from tools.documents.rows import metrics
from tools.documents.stack import Mode, Stack, with_python_first

# Another checkout's stack may run at the same time.
CHECKOUT_HASH = hashlib.sha256(str(ROOT).encode()).hexdigest()
PROJECT = f"mlops-documents-{CHECKOUT_HASH[:8]}"
LOG = "start.log"
READY = "Ctrl-C or --stop ends it"
START_SECONDS = 600
COMMAND = "./start-mlops.sh"
if os.name != "posix":
    COMMAND = "powershell -File start-mlops.ps1"
DOWN = "docker compose --profile '*' down --volumes --remove-orphans"


def usual_mode() -> Mode:
    """Return `containers` if Docker works here, else `local`."""
    docker = checks.docker()
    return "local" if docker.remedy else "containers"


@contextmanager
def started(mode: Mode) -> Iterator[Stack]:
    """Start a stack in a clone of this checkout; end it and leave nothing behind.

    Raises:
        StackError: it cannot be started.
    """
    docker = checks.docker()
    if mode == "containers" and docker.remedy:
        raise StackError(f"Docker {docker.state}: use --mode local.")
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
    """Return the environment of a stack: that of this process, with other ports."""
    environment = {}
    for name, value in os.environ.items():
        # Compose's own settings may name another project or another file.
        if not name.startswith("COMPOSE_"):
            environment[name] = value
    for service, port in ports.items():
        variable, _ = PORTS[service]
        environment[variable] = str(port)
    environment["API_ADMIN_KEY"] = key
    return with_python_first(environment)


@contextmanager
def _containers(folder: Path) -> Iterator[Stack]:
    ports = _free_ports()
    key = secrets.token_urlsafe()
    own = {
        "COMPOSE_PROJECT_NAME": PROJECT,
        "OWNER": PROJECT,
        "COMPOSE_PROFILES": "tracing",
        "OTEL_EXPORTER_OTLP_ENDPOINT": JAEGER,
    }
    environment = variables(ports, key) | own
    stack = Stack("containers", folder / "checkout", ports, environment, key)
    absent = missing_images(stack)
    stack = without(stack, absent, folder / "absent.yml")
    _call(stack, DOWN)  # An earlier call may have been killed.
    command = f"{COMMAND} --with tracing"
    for service in absent:
        command += f" --without {service}"
    try:
        _start(stack, command)
        yield running(stack)
    finally:
        _call(stack, DOWN)


def _start(stack: Stack, command: str) -> None:
    try:
        _call(stack, command)
    except StackError as error:
        logs = _call(stack, "docker compose logs --no-color --tail 20")
        raise StackError(f"{error}\n{logs}") from error


def missing_images(stack: Stack) -> list[str]:
    """Return the services whose image is neither on this machine nor in a registry."""
    output = _call(stack, "docker compose config --format json")
    config = json.loads(output)
    missing = []
    for service, described in config["services"].items():
        if "build" in described:
            continue
        pull = ["docker", "compose", "pull", "--quiet", "--policy", "missing", service]
        done = subprocess.run(pull, **stack.options(), check=False)
        if done.returncode:
            missing.append(service)
    return missing


def without(stack: Stack, services: list[str], file: Path) -> Stack:
    """Return a stack in which a plain `docker compose up` leaves services out."""
    environment = dict(stack.environment)
    environment["COMPOSE_FILE"] = leave_out(services, file)
    return replace(stack, environment=environment)


def running(stack: Stack) -> Stack:
    """Return a stack with the ports of the running services only."""
    output = _call(stack, "docker compose ps --services --status running")
    return _with_services(stack, output.split())


def _with_services(stack: Stack, services: Container[str]) -> Stack:
    ports = {}
    for service, port in stack.ports.items():
        if service in services:
            ports[service] = port
    return replace(stack, ports=ports)


@contextmanager
def _local(folder: Path) -> Iterator[Stack]:
    ports = _free_ports()
    key = secrets.token_urlsafe()
    stack = Stack("local", folder / "checkout", ports, variables(ports, key), key)
    environment.lend(stack.checkout)
    log = folder / LOG
    with log.open("wb") as stream:
        options = stack.options() | {"stdout": stream}
        command = shlex.split(f"{COMMAND} --local")
        with subprocess.Popen(command, **options) as process:
            try:
                _await_start(process, log)
                file = stack.checkout / "build" / "stack-0.json"
                state = json.loads(file.read_text("utf-8"))
                yield _with_services(stack, state)
            finally:
                if process.poll() is None:
                    _call(stack, f"{COMMAND} --stop")


def _await_start(process: "subprocess.Popen[str]", log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        output = log.read_text("utf-8", "replace")
        if READY in output:
            return
        if process.poll() is not None or time.monotonic() > deadline:
            raise StackError(f"the stack did not start:\n{output}")
        time.sleep(0.5)


def _call(stack: Stack, command: str) -> str:
    words = shlex.split(command)
    done = subprocess.run(words, **stack.options(), check=False)
    if done.returncode:
        raise StackError(f"`{command}` failed:\n{done.stdout}")
    return str(done.stdout)


def _free_ports() -> dict[str, int]:
    ports = free_ports(len(PORTS))
    return dict(zip(PORTS, ports, strict=True))
