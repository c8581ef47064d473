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
ANSWER_SECONDS, COMMAND_SECONDS, HEALTHY_SECONDS = 60, 300, 120
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
    """A stack that runs from a checkout of its own."""

    mode: Mode
    checkout: Path
    ports: Mapping[
        str, int
    ]  # of the services that run, by the names in the compose file
    environment: Mapping[str, str] = field(repr=False)  # of every command that is typed
    admin_key: str = field(repr=False)

    def url(self, service: str, path: str = "") -> str:
        """Return an address of a service."""
        return f"http://{HOST}:{self.ports[service]}{path}"

    def get(self, path: str, service: str = "mlops-api", key: bool = False) -> Answer:
        """Return what a service answers."""
        return self.send(urllib.request.Request(self.url(service, path)), key)

    def post(
        self, path: str, body: Any, service: str = "mlops-api", key: bool = False
    ) -> Answer:
        """Send JSON and return the answer."""
        content, headers = json.dumps(body).encode(), {
            "Content-Type": "application/json"
        }
        return self.send(
            urllib.request.Request(self.url(service, path), content, headers), key
        )

    def send(self, request: urllib.request.Request, key: bool = False) -> Answer:
        """Send any request, with the admin key if so asked, and return the answer."""
        if key:
            request.add_header("X-API-Key", self.admin_key)
        try:
            answer = open_url(request, ANSWER_SECONDS)
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            return Answer(answer.status, dict(answer.headers), answer.read().decode())

    def as_here(self, text: str) -> str:
        """Return a text with the usual addresses turned into those of this stack."""
        usual = {port: name for name, (_, port) in PORTS.items()}

        def moved(found: re.Match[str]) -> str:
            service = usual.get(int(found[2]), "")
            return f"{found[1]}:{self.ports.get(service, found[2])}"

        return ADDRESS.sub(moved, text)

    def shell(self, command: str, seconds: float = COMMAND_SECONDS) -> str:
        """Run a command as it is typed, in the checkout, and return what it prints.

        Raises:
            Failure: its exit status is not 0.
        """
        typed = ["bash", "-c", self.as_here(command)]
        done = subprocess.run(typed, **self.options(), timeout=seconds, check=False)
        if done.returncode:
            raise Failure(
                f"`{command}` ends with {done.returncode}: {done.stdout.strip()[-600:]}"
            )
        return str(done.stdout)

    def first_line(self, command: str) -> str:
        """Run a command that does not end by itself, and return the first line that it
        prints.
        """
        options = self.options()
        with subprocess.Popen(
            ["bash", "-c", f"exec {self.as_here(command)}"], **options
        ) as process:
            timer = threading.Timer(COMMAND_SECONDS, process.kill)
            timer.start()
            assert process.stdout
            line = str(process.stdout.readline())
            process.terminate()
            timer.cancel()
        return line.strip()

    def options(self) -> dict[str, Any]:
        """Return how `subprocess` runs a command in the checkout and keeps what it
        prints.
        """
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
        """Return the series that Prometheus answers a query with."""
        self.require("prometheus")
        question = urllib.parse.urlencode({"query": expression})
        answer = self.get(f"/api/v1/query?{question}", "prometheus")
        if answer.status != 200:
            raise Failure(f"Prometheus refuses `{expression}`: {answer.text}")
        found: list[dict[str, Any]] = answer.json["data"]["result"]
        return found

    def eventually(self, question: Callable[[], Any], seconds: float, what: str) -> Any:
        """Ask until the answer is true; a call that is refused is no answer yet.

        Raises:
            Failure: it is not so within the time; `what` begins the text.
        """
        deadline, last = time.monotonic() + seconds, None
        while time.monotonic() < deadline:
            try:
                if last := question():
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
        """Go on if a service runs.

        Raises:
            CannotRun: it does not.
        """
        if service not in self.ports:
            missing = "image" if self.mode == "containers" else "program"
            raise CannotRun(
                f"{service} does not run: its {missing} is not on this machine"
            )

    def require_containers(self) -> None:
        """Go on if the services are containers.

        Raises:
            CannotRun: they are local processes.
        """
        if self.mode != "containers":
            raise CannotRun("is about containers; these are local processes")


def with_python_first(environment: Mapping[str, str]) -> dict[str, str]:
    """Return an environment in which `python` is the one that runs this program."""
    folder = str(Path(sys.executable).parent)
    return {**environment, "PATH": f"{folder}{os.pathsep}{environment.get('PATH', '')}"}
