"""The stack of the compose file on a real Docker engine, in a checkout of its own."""

import hashlib
import json
import os
import shutil
import subprocess
import time
import urllib.parse
import urllib.request
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from scripts.loopback import free_ports
from tests.paths import ROOT

# Another checkout may be tested on the same engine at the same time.
CHECKOUT = hashlib.sha256(str(ROOT).encode()).hexdigest()
PROJECT = f"mlops-stack-test-{CHECKOUT[:8]}"
ADMIN_KEY = "a key for the tests"
PORTS = (
    "API",
    "MLFLOW",
    "MLFLOW_PROXY",
    "PROMETHEUS",
    "GRAFANA",
    "NODE_EXPORTER",
    "CADVISOR",
    "ALERTMANAGER",
    "JAEGER",
    "RECONCILER",
)
SCRAPE_SECONDS = 6  # the API's counters are in Prometheus after this time
# An image that a machine without Docker Hub cannot have.
MISSING = ["grafana"]
# All others, by name: with `--scale grafana=0` Compose still pulls the image.
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
PLACE = "stack-test"  # the environment that traces name
WAIT = ("--wait", "--wait-timeout", "180")  # until every service is healthy
# Everything, and what a killed run left behind.
DOWN = ("--profile", "*", "down", "--volumes", "--remove-orphans")
Container = dict[str, Any]  # as `docker inspect` describes it
Manifest = dict[str, Any]
Series = dict[str, Any]  # as Prometheus returns it


def docker(*arguments: str, **options: Any) -> str:
    """Run Docker and return its output, which is also in the error."""
    command = ["docker", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, **options)
    output = done.stdout + done.stderr
    called = " ".join(command)
    assert done.returncode == 0, f"{called}:\n{output}"
    return done.stdout


def require_engine() -> None:
    """End all tests as failed, with one sentence, if there is no engine or no
    Compose v2.
    """
    for arguments in (["info"], ["compose", "version"]):
        command = ["docker", *arguments]
        if not succeeds(command):
            pytest.exit(
                "the stack cannot be tested here: it needs a running Docker engine"
                f" with Compose v2, but `{' '.join(command)}` fails.",
                returncode=1,
            )


def succeeds(command: list[str]) -> bool:
    """Return whether a command exists and ends with 0."""
    if not shutil.which(command[0]):
        return False
    done = subprocess.run(command, capture_output=True, check=False)
    return done.returncode == 0


def eventually(condition: Callable[[], Any], seconds: float, what: str) -> Any:
    """Wait until a condition holds and return its value; a connection error counts as
    false.
    """
    deadline = time.monotonic() + seconds
    last = None
    while time.monotonic() < deadline:
        try:
            last = condition()
        except OSError as error:
            last = error
        else:
            if last:
                return last
        time.sleep(0.5)
    problem = f"{what}: not within {seconds} s; the last value was {last!r}"
    raise AssertionError(problem)


class Stack:
    """The services, with ports that nobody else uses."""

    def __init__(self, checkout: Path) -> None:
        self.checkout = checkout
        free = free_ports(len(PORTS))
        self.ports = dict(zip(PORTS, free, strict=True))
        self.environment = dict(os.environ)
        self.environment.pop("COMPOSE_FILE", None)
        for name, port in self.ports.items():
            self.environment[f"{name}_PORT"] = str(port)
        self.environment |= {
            "COMPOSE_PROJECT_NAME": PROJECT,
            "OWNER": PROJECT,
            "API_ADMIN_KEY": ADMIN_KEY,
            "COMPOSE_PROFILES": "tracing",
            "OTEL_EXPORTER_OTLP_ENDPOINT": "http://jaeger:4318",
            "MLOPS_ENVIRONMENT": PLACE,
            "REVISION": revision(checkout),
        }
        self.start_output = ""  # of the first start

    def start_command(self, *arguments: str) -> str:
        """Run the start command in the checkout and return its output."""
        done = subprocess.run(
            ["./start-mlops.sh", *arguments],
            cwd=self.checkout,
            env=self.environment,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def compose(self, *arguments: str) -> str:
        """Run `docker compose`."""
        return docker("compose", *arguments, cwd=self.checkout, env=self.environment)

    def up(self, *more: str) -> None:
        """Start every service that this machine has an image of, and further ones."""
        self.compose("up", "--detach", *WAIT, *SERVICES, *more)

    def scale(self, replicas: int) -> None:
        """Run so many replicas of the API, and leave the other services alone."""
        scale = ("--scale", f"mlops-api={replicas}")
        self.compose("up", "--detach", *WAIT, *scale, "mlops-api")

    def containers(self, *services: str) -> list[Container]:
        """Return what Docker knows of the containers."""
        ids = self.compose("ps", "--quiet", *services).split()
        return json.loads(docker("inspect", *ids))

    def manifest(self, task: str) -> Manifest:
        """Return the manifest of a task's model in the checkout."""
        path = self.checkout / "deployment" / "models" / task / "manifest.json"
        return json.loads(path.read_bytes())

    def manifests(self) -> dict[str, Manifest]:
        """Return the manifests of all models in the checkout, by task."""
        manifests = {}
        for path in self.checkout.glob("deployment/models/*/manifest.json"):
            task = path.parent.name
            manifests[task] = self.manifest(task)
        return manifests

    def url(self, name: str, path: str = "") -> str:
        """Return the address of a service, by the name of its port."""
        return f"http://127.0.0.1:{self.ports[name]}{path}"

    def ask(self, name: str, path: str, body: Any = None, **more: str) -> Any:
        """Return the JSON that a service answers; `more` are headers."""
        headers = {"Content-Type": "application/json", "X-API-Key": ADMIN_KEY}
        content = None
        if body is not None:
            content = json.dumps(body).encode()
        address = self.url(name, path)
        request = urllib.request.Request(address, content, headers | more)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def predict(self, manifest: Manifest) -> Any:
        """Return the answer to the golden request of a model."""
        task = manifest["task"]
        record = manifest["golden"]["request"]
        return self.ask("API", f"/predict/{task}", record)

    def prometheus(self, path: str, **parameters: Any) -> Any:
        """Return the data of an answer of Prometheus."""
        query = urllib.parse.urlencode(parameters, doseq=True)
        answer = self.ask("PROMETHEUS", f"/api/v1/{path}?{query}")
        return answer["data"]

    def query(self, expression: str, **parameters: Any) -> list[Series]:
        """Return the current series of a query."""
        data = self.prometheus("query", query=expression, **parameters)
        return data["result"]

    def request_counts(self, moment: float) -> dict[str, str]:
        """Return each counter of the API's requests as of a moment."""
        counters = "last_over_time(http_requests_total[1h])"
        counts = {}
        for series in self.query(counters, time=moment):
            labels = str(series["metric"])
            _, counts[labels] = series["value"]
        return counts

    def targets(self) -> dict[str, list[str]]:
        """Return the health of every target of Prometheus, by job."""
        health = defaultdict(list)
        data = self.prometheus("targets", state="active")
        for target in data["activeTargets"]:
            job = target["labels"]["job"]
            health[job].append(target["health"])
        return health

    def finished_job(self, job: str, seconds: float) -> dict[str, Any]:
        """Wait until a job of the worker has ended and return it."""

        def ended() -> Any:
            status = self.ask("API", f"/jobs/{job}")
            return status if status["ended"] else None

        return eventually(ended, seconds, f"job {job} ends")


def revision(checkout: Path) -> str:
    """Return the commit that is checked out."""
    command = ["git", "rev-parse", "HEAD"]
    output = subprocess.check_output(command, cwd=checkout, text=True)
    return output.strip()
