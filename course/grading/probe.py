"""The API of a copy, as a process on a free port, and questions to it."""

import json
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from course.copy import Copy
from course.grading import process, sandbox, worktree
from course.grading.result import Red
from scripts.loopback import free_port, open_url

START_SECONDS = 60.0
ANSWER_SECONDS = 10.0
MOST_BYTES = 5_000_000


class Api:
    """A running API.

    Attributes:
        address: its address on this machine.
    """

    def __init__(self, address: str) -> None:
        self.address = address

    def get(self, path: str) -> tuple[int, str]:
        """Return the status and the text of an answer."""
        return self._send(urllib.request.Request(self.address + path))

    def post(self, path: str, content: Any) -> tuple[int, str]:
        """Send JSON, and return the status and the text of the answer."""
        request = urllib.request.Request(
            self.address + path,
            json.dumps(content).encode(),
            {"Content-Type": "application/json"},
        )
        return self._send(request)

    def metrics(self) -> dict[str, float]:
        """Return the samples of `/metrics`: name with labels, as written, to value."""
        samples = {}
        _, text = self.get("/metrics")
        for line in text.splitlines():
            name, _, value = line.rpartition(" ")
            if name and not line.startswith("#"):
                samples[name] = float(value)
        return samples

    def _send(self, request: urllib.request.Request) -> tuple[int, str]:
        try:
            with open_url(request, ANSWER_SECONDS) as answer:
                return answer.status, answer.read(MOST_BYTES).decode("utf-8", "replace")
        except urllib.error.HTTPError as error:
            return error.code, error.read(MOST_BYTES).decode("utf-8", "replace")
        except (OSError, ValueError) as error:
            raise Red(f"the API does not answer {request.selector}: {error}") from error


@contextmanager
def api(copy: Copy, commit: str = "HEAD", **settings: str) -> Iterator[Api]:
    """Start the API of a commit of the copy, with the models of that commit.

    Args:
        copy: the copy.
        commit: the commit.
        settings: additional variables, such as API_ADMIN_KEY.

    Raises:
        Red: it does not start.
    """
    with worktree.checkout(copy, commit) as tree:
        state = tree / "build" / "course"
        port = free_port()
        variables = {
            "API_PORT": str(port),
            "API_STATE": str(state / "state"),
            "API_LOG_FILE": str(state / "api.log"),
            "API_PREDICTION_LOG": str(state / "predictions.db"),
        }
        command = process.python("-m", "app")
        variables |= settings
        with sandbox.running(command, tree, variables, port=port) as running:
            server = Api(f"http://127.0.0.1:{port}")
            _wait(server, running)
            yield server


def _wait(server: Api, running: process.Running) -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        if running.ended:
            raise Red(f"the API does not start: {running.outcome().reason}")
        try:
            server.get("/health")
            return
        except Red:
            time.sleep(0.2)
    raise Red(f"the API does not start within {START_SECONDS:.0f} seconds")
