"""Rows on commands that start a part of the stack, or have another name elsewhere."""

import json
import shlex
import subprocess

from scripts.loopback import free_ports
from scripts.stack.settings import HOST, PORTS
from tools.documents import environment
from tools.documents.row import Row, expect
from tools.documents.stack import Stack

OFFSET = 7  # beside the stack that runs
READY = "Ctrl-C or --stop ends it"
TARGETS = ("up", "down", "test", "lint", "format")
MONITORING = "docker compose -f monitoring/docker-compose-monitoring.yml"


def mlflow_alone(stack: Stack) -> str:
    """Start MLflow as the script does, and count the runs that it shows."""
    if not (stack.checkout / ".venv").exists():
        environment.lend(stack.checkout)
    offset = f"--port-offset {OFFSET}"
    command = shlex.split(f"bash scripts/mlflow_ui.sh {offset}")
    with subprocess.Popen(command, **stack.options()) as process:
        try:
            output = ""
            assert process.stdout
            for line in process.stdout:
                output += line
                if READY in line:
                    break
            expect(READY in output, f"`scripts/mlflow_ui.sh` does not start:\n{output}")
            runs = len(list(stack.checkout.glob("mlruns/*/*/*/run.json")))
            expect(f"{runs} of {runs} runs" in output, f"not {runs} runs:\n{output}")
        finally:
            stack.shell(f"./start-mlops.sh --stop {offset}")
    return f"`scripts/mlflow_ui.sh` shows {runs} of {runs} runs"


def make(stack: Stack) -> str:
    """Look at the command of each target, without running it.

    The commands would check or stop this project itself.
    """
    commands = stack.shell(f"make -n {' '.join(TARGETS)}").splitlines()
    expect(len(commands) == len(TARGETS), f"not a command a target: {commands}")
    for command in commands:
        program = stack.checkout / command.split()[0]
        expect(program.is_file(), f"there is no {program.name}, which Make would call")
    return f"`make -n`: {'; '.join(commands)}"


def parts_of_the_stack(stack: Stack) -> str:
    """Start the API alone, and the API with its monitoring."""
    local = "" if stack.mode == "containers" else " --local"
    output = stack.shell(f"./scripts/deploy_local.sh{local}")
    models = len(list(stack.checkout.glob("deployment/models/*/manifest.json")))
    expect(
        f"{models} in service" in output,
        f"`deploy_local.sh` does not verify the API: {output}",
    )
    if stack.mode != "containers":
        return "`deploy_local.sh` verifies the API; the other is about containers"
    return f"`deploy_local.sh` verifies the API; beside it {_monitoring(stack)}"


def _monitoring(stack: Stack) -> str:
    """Start the stack of the second file on ports of its own, and end it."""
    started = ["proxy", "prometheus"] + ["grafana"] * ("grafana" in stack.ports)
    names = ("mlops-api", "prometheus", "grafana")
    ports = dict(zip(names, free_ports(len(names)), strict=True))
    apart = "env -u COMPOSE_PROJECT_NAME -u COMPOSE_PROFILES -u COMPOSE_FILE"
    for name, port in ports.items():
        variable, _ = PORTS[name]
        apart += f" {variable}={port}"
    apart += f" {MONITORING}"
    # All of it as typed, where Grafana's image can be had; else the others by name.
    named = "" if "grafana" in stack.ports else " ".join(started)
    try:
        stack.shell(f"{apart} up -d --wait {named}")
        port = ports["mlops-api"]
        health = stack.shell(f"curl -sf http://{HOST}:{port}/health")
        status = json.loads(health)["status"]
        expect(status == "ok", f"the API is not healthy: {health}")
        stack.eventually(
            lambda: _is_watched(stack, ports["prometheus"]),
            60,
            "Prometheus reaches the API",
        )
        running = sorted(stack.shell(f"{apart} ps --services --status running").split())
    finally:
        stack.shell(f"{apart} down --volumes")
    expect(
        running == sorted([*started, "mlops-api"]), f"it started {', '.join(running)}"
    )
    return ", ".join(running)


def _is_watched(stack: Stack, port: int) -> bool:
    output = stack.shell(f"curl -sf http://{HOST}:{port}/api/v1/targets?state=active")
    targets = json.loads(output)["data"]["activeTargets"]
    health = {target["labels"]["job"]: target["health"] for target in targets}
    return health.get("mlops-api") == "up"


ROWS = [
    Row(
        number=7,
        typed="`mlflow ui` in the checkout",
        here=(
            "`./scripts/mlflow_ui.sh` (`.ps1`) shows the whole history; the plain"
            " command opens an empty store of its own, since MLflow reads no settings"
            " from a folder"
        ),
        page="[how to](how-to.md)",
        check=mlflow_alone,
    ),
    Row(
        number=20,
        typed="`make up`, `make down`, `make test`, `make lint`, `make format`",
        here="as typed; each line of the Makefile is a command that works without Make",
        page="[how to](how-to.md)",
        check=make,
    ),
    Row(
        number=21,
        typed=(
            "`./scripts/deploy_local.sh`, "
            "`docker compose -f monitoring/docker-compose-monitoring.yml up -d`"
        ),
        here="the API alone; the API, Prometheus and Grafana",
        page="[how to](how-to.md)",
        check=parts_of_the_stack,
    ),
]
