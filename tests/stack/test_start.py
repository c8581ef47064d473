"""The start command with Docker: from a checkout to all checks green."""

import re
import subprocess

from tests.stack.engine import Stack, docker, eventually

OFFSET = "23000"
PROJECT = ("compose", "--project-name", f"checkout-{OFFSET}", "--profile", "*")
ARGUMENTS = ("--port-offset", OFFSET)


def run(stack: Stack, *arguments: str) -> str:
    """Run the start command in the stack's checkout and return what it prints."""
    usual = {name: text for name, text in stack.environment.items() if not name.endswith("_PORT")}
    for name in ("COMPOSE_PROJECT_NAME", "COMPOSE_PROFILES", "OTEL_EXPORTER_OTLP_ENDPOINT"):
        del usual[name]
    command = ["./start-mlops.sh", *ARGUMENTS, *arguments]
    done = subprocess.run(command, cwd=stack.checkout, env=usual, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_start_command_brings_up_the_stack_and_takes_it_down(stack: Stack) -> None:
    try:
        told = run(stack, "--with", "alerts", "--with", "tracing", "--without", "grafana")
        assert f"http://127.0.0.1:{8000 + int(OFFSET)}/docs" in told
        assert re.search(r"(\d) of \1 targets up", told)
        assert f"http://127.0.0.1:{9093 + int(OFFSET)}" in told and "tells nobody" in told
        runs = len(list((stack.checkout / "mlruns").glob("*/*/*/run.json")))
        assert f"{runs} of {runs} runs" in told
        assert "(healthy)" in run(stack, "--status")
        run(stack, "--stop")
        assert "alertmanager" not in docker(*PROJECT, "ps", "--all", cwd=stack.checkout)
    finally:
        run(stack, "--stop")
        docker(*PROJECT, "down", "-v", cwd=stack.checkout)
    eventually(lambda: "healthy" not in run(stack, "--status"), 10, "nothing is left")
