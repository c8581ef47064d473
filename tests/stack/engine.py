"""The stack of the compose file on a real Docker engine, in a checkout of its own."""

import json
import os
import shutil
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from scripts.loopback import free_ports

PROJECT = "mlops-stack-test"
ADMIN_KEY = "a key for the tests"
PORTS = (
    "API",
    "MLFLOW",
    "PROMETHEUS",
    "GRAFANA",
    "NODE_EXPORTER",
    "CADVISOR",
    "ALERTMANAGER",
    "JAEGER",
)
SCRAPE_SECONDS = 6  # after them what the API said is in Prometheus
# An image that a machine without Docker Hub cannot have.
MISSING = ["grafana"]
# All others, by name: with `--scale grafana=0` Compose asks for the image all the same.
SERVICES = (
    "mlops-api",
    "proxy",
    "mlflow-server",
    "trainer",
    "prometheus",
    "node-exporter",
    "cadvisor",
    "jaeger",
)
PLACE = "stack-test"  # where it runs, as traces say it


def docker(*arguments: str, **options: Any) -> str:
    """Run Docker and return what it prints; its words are in the error."""
    done = subprocess.run(
        ["docker", *arguments], capture_output=True, text=True, **options
    )
    assert (
        done.returncode == 0
    ), f"docker {' '.join(arguments)}:\n{done.stdout}{done.stderr}"
    return done.stdout


def require_engine() -> None:
    """End all tests as failed, with one sentence, where there is no engine or no
    Compose v2.
    """
    for question in (["info"], ["compose", "version"]):
        if (
            not shutil.which("docker")
            or subprocess.run(["docker", *question], capture_output=True).returncode
        ):
            pytest.exit(
                "the stack cannot be tested here: it needs a running Docker engine"
                f" with Compose v2, but `docker {' '.join(question)}` fails.",
                returncode=1,
            )


def eventually(question: Callable[[], Any], seconds: float, what: str) -> Any:
    """Ask until the answer is true or so many seconds are over; a refused call is no
    answer yet.
    """
    deadline, last = time.monotonic() + seconds, None
    while time.monotonic() < deadline:
        try:
            if last := question():
                return last
        except (urllib.error.URLError, OSError) as error:
            last = error
        time.sleep(0.5)
    raise AssertionError(
        f"{what}: not within {seconds} s; the last answer was {last!r}"
    )


class Stack:
    """The services, with ports that nobody else uses."""

    def __init__(self, checkout: Path) -> None:
        self.checkout = checkout
        self.ports = dict(zip(PORTS, free_ports(len(PORTS)), strict=True))
        self.environment = {
            **{
                name: value
                for name, value in os.environ.items()
                if name != "COMPOSE_FILE"
            },
            **{f"{name}_PORT": str(port) for name, port in self.ports.items()},
            "COMPOSE_PROJECT_NAME": PROJECT,
            "OWNER": PROJECT,
            "API_ADMIN_KEY": ADMIN_KEY,
            "COMPOSE_PROFILES": "tracing",
            "OTEL_EXPORTER_OTLP_ENDPOINT": "http://jaeger:4318",
            "MLOPS_ENVIRONMENT": PLACE,
            "REVISION": revision(checkout),
        }
        self.told = ""  # what the start command printed

    def start_command(self, *arguments: str) -> str:
        """Run the start command in the checkout and return what it prints."""
        command = ["./start-mlops.sh", *arguments]
        options = {"cwd": self.checkout, "env": self.environment}
        done = subprocess.run(command, capture_output=True, text=True, **options)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def compose(self, *arguments: str) -> str:
        """Run `docker compose`."""
        return docker("compose", *arguments, cwd=self.checkout, env=self.environment)

    def up(self, *arguments: str) -> None:
        """Start what can be had here and wait until all of it is healthy."""
        self.compose(
            "up", "-d", "--wait", "--wait-timeout", "180", *arguments, *SERVICES
        )

    def containers(self, *services: str) -> list[dict[str, Any]]:
        """Return what Docker knows of the containers."""
        found: list[dict[str, Any]] = json.loads(
            docker("inspect", *self.compose("ps", "-q", *services).split())
        )
        return found

    def url(self, name: str, path: str = "") -> str:
        """Return the address of a service, by the name of its port."""
        return f"http://127.0.0.1:{self.ports[name]}{path}"

    def ask(self, name: str, path: str, body: Any = None, **more: str) -> Any:
        """Return the JSON that a service answers; `more` are headers."""
        headers = {"Content-Type": "application/json", "X-API-Key": ADMIN_KEY, **more}
        content = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url(name, path), content, headers)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def query(self, expression: str, **parameters: str) -> list[dict[str, Any]]:
        """Return the series that Prometheus answers a query with."""
        asked = urllib.parse.urlencode({"query": expression} | parameters)
        answer = self.ask("PROMETHEUS", f"/api/v1/query?{asked}")
        result: list[dict[str, Any]] = answer["data"]["result"]
        return result

    def counted(self, moment: float) -> dict[str, str]:
        """Return every counter of the API's requests as Prometheus knew it at a moment."""
        found = self.query("last_over_time(http_requests_total[1h])", time=str(moment))
        return {str(series["metric"]): series["value"][1] for series in found}

    def targets(self) -> dict[str, list[str]]:
        """Return the health of every target of Prometheus, by job."""
        found: dict[str, list[str]] = {}
        active = self.ask("PROMETHEUS", "/api/v1/targets?state=active")["data"][
            "activeTargets"
        ]
        for target in active:
            found.setdefault(target["labels"]["job"], []).append(target["health"])
        return found


def revision(checkout: Path) -> str:
    """Return the commit that is checked out."""
    command = ["git", "rev-parse", "HEAD"]
    done = subprocess.run(
        command, cwd=checkout, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()
