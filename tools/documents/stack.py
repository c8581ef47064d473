"""A running stack as the checks see it: its addresses, its checkout, and a shell in it."""

import json
import os
import re
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from scripts.loopback import open_url
from scripts.stack.settings import HOST, PORTS

Mode = Literal["containers", "local"]
ANSWER_SECONDS = 60
COMMAND_SECONDS = 300
HEALTHY_SECONDS = 120
ADDRESS = re.compile(r"\b(localhost|127\.0\.0\.1):(\d+)\b")


class CannotRun(Exception):
    """This machine, or this stack, cannot run a row; the text says why."""


class Failure(Exception):
    """What was typed did not do what it should; the text says what was seen."""


@dataclass(frozen=True)
class Answer:
    """An answer over HTTP, of any status."""

    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def json(self) -> Any:
        """The answer read as JSON."""
        return json.loads(self.text)


@dataclass(frozen=True)
class Stack:
    """A stack that runs from a checkout of its own.

    Attributes:
        ports: those of the running services, by their names in the compose file.
        environment: that of every command.
    """

    mode: Mode
    checkout: Path
    ports: Mapping[str, int]
    environment: Mapping[str, str] = field(repr=False)
    admin_key: str = field(repr=False)

    def url(self, service: str, path: str = "") -> str:
        """Return an address of a service."""
        return f"http://{HOST}:{self.ports[service]}{path}"

    def get(self, path: str, service: str = "mlops-api", key: bool = False) -> Answer:
        """Return a service's answer."""
        request = urllib.request.Request(self.url(service, path))
        return self.send(request, key)

    def post(
        self, path: str, body: Any, service: str = "mlops-api", key: bool = False
    ) -> Answer:
        """Send JSON and return the answer."""
        request = urllib.request.Request(
            self.url(service, path),
            json.dumps(body).encode(),
            {"Content-Type": "application/json"},
        )
        return self.send(request, key)

    def send(self, request: urllib.request.Request, key: bool = False) -> Answer:
        """Send a request, with the admin key or without, and return the answer."""
        if key:
            request.add_header("X-API-Key", self.admin_key)
        try:
            answer = open_url(request, ANSWER_SECONDS)
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            text = answer.read().decode()
            return Answer(answer.status, dict(answer.headers), text)

    def as_here(self, text: str) -> str:
        """Return a text with this stack's addresses in place of the usual ones."""
        services = {port: service for service, (_, port) in PORTS.items()}

        def replace(match: re.Match[str]) -> str:
            host, port = match.groups()
            service = services.get(int(port), "")
            return f"{host}:{self.ports.get(service, port)}"

        return ADDRESS.sub(replace, text)

    def shell(self, command: str, seconds: float = COMMAND_SECONDS) -> str:
        """Run a command as it is typed, in the checkout, and return what it prints.

        Raises:
            Failure: its exit status is not 0.
        """
        typed = ["bash", "-c", self.as_here(command)]
        done = subprocess.run(typed, **self.options(), timeout=seconds, check=False)
        if done.returncode:
            output = done.stdout.strip()
            raise Failure(f"`{command}` ends with {done.returncode}: {output[-600:]}")
        return str(done.stdout)

    def first_line(self, command: str) -> str:
        """Run a command that does not end by itself, and return its first line."""
        typed = ["bash", "-c", f"exec {self.as_here(command)}"]
        with subprocess.Popen(typed, **self.options()) as process:
            timer = threading.Timer(COMMAND_SECONDS, process.kill)
            timer.start()
            assert process.stdout
            line = str(process.stdout.readline())
            process.terminate()
            timer.cancel()
        return line.strip()

    def options(self) -> dict[str, Any]:
        """Return `subprocess`' options: run in the checkout, and keep the output."""
        return {
            "cwd": self.checkout,
            "env": dict(self.environment),
            "stdin": subprocess.DEVNULL,
            "stdout": subprocess.PIPE,
            "stderr": subprocess.STDOUT,
            "encoding": "utf-8",
            "errors": "replace",
        }

    def query(self, expression: str) -> list[dict[str, Any]]:
        """Return the series that match a query of Prometheus."""
        self.require("prometheus")
        question = urllib.parse.urlencode({"query": expression})
        answer = self.get(f"/api/v1/query?{question}", "prometheus")
        if answer.status != 200:
            raise Failure(f"Prometheus refuses `{expression}`: {answer.text}")
        series: list[dict[str, Any]] = answer.json["data"]["result"]
        return series

    def eventually(self, question: Callable[[], Any], seconds: float, what: str) -> Any:
        """Ask until the answer is true; a refused call counts as no answer yet.

        Raises:
            Failure: it did not become true in time; `what` begins the text.
        """
        deadline = time.monotonic() + seconds
        last: Any = None
        while time.monotonic() < deadline:
            try:
                last = question()
                if last:
                    return last
            except (OSError, Failure) as error:
                last = error
            time.sleep(0.5)
        raise Failure(f"{what}: not within {seconds} s; the last answer was {last!r}")

    def await_healthy(self) -> None:
        """Wait until the API, MLflow and Prometheus answer again."""
        health = {
            "mlops-api": "/health/ready",
            "mlflow-server": "/health",
            "prometheus": "/-/ready",
        }
        for service in health.keys() & self.ports.keys():

            def answers(service: str = service) -> bool:
                return self.get(health[service], service).status == 200

            self.eventually(answers, HEALTHY_SECONDS, f"{service} answers again")

    def require(self, service: str) -> None:
        """Check that a service runs.

        Raises:
            CannotRun: it does not.
        """
        if service not in self.ports:
            missing = "image" if self.mode == "containers" else "program"
            raise CannotRun(
                f"{service} does not run: its {missing} is not on this machine"
            )

    def require_containers(self) -> None:
        """Check that the services are containers.

        Raises:
            CannotRun: they are local processes.
        """
        if self.mode != "containers":
            raise CannotRun("concerns containers; these are local processes")


def with_python_first(environment: Mapping[str, str]) -> dict[str, str]:
    """Return an environment in which `python` is the one that runs this program."""
    folder = str(Path(sys.executable).parent)
    path = environment.get("PATH", "")
    return {**environment, "PATH": f"{folder}{os.pathsep}{path}"}
