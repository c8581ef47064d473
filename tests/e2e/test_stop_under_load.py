"""`--stop` while requests come in: whatever was answered is in the log, and nothing is
left.
"""

import json
import shutil
import socket
import sqlite3
import threading
import urllib.request
from contextlib import closing

import pytest

from pipeline.repo import Repo
from scripts.loopback import open_url
from tests.conftest import Clone
from tests.support.local_stack import LocalStack, prepare
from tests.support.service import MODELS
from tests.support.serving import served_manifest
from tests.support.waiting import PATIENCE_SECONDS

# Below 32768, where Linux begins to give ports to outgoing connections.
OFFSET = 14_500
API_PORT = 8000 + OFFSET
PORTS = (
    API_PORT,
    8001 + OFFSET,
    5000 + OFFSET,
    5001 + OFFSET,
)
SENDERS = 4
ENOUGH = 200
# Settings of a user's that must not get into the stack.
VARIABLES = {
    "MLFLOW_STATIC_PREFIX": "/elsewhere",
    "http_proxy": "http://127.0.0.1:9",
    "HTTP_PROXY": "http://127.0.0.1:9",
}

pytestmark = [pytest.mark.slow, pytest.mark.nightly]


class Sender(threading.Thread):
    """Sends one request after the other until nobody answers, and keeps the IDs of the
    answers.
    """

    def __init__(self, body: bytes, enough: threading.Semaphore) -> None:
        super().__init__(daemon=True)
        self.answered: set[str] = set()
        self._body = body
        self._enough = enough

    def run(self) -> None:
        """Send."""
        url = f"http://127.0.0.1:{API_PORT}/predict/iris"
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(url, self._body, headers)
        while True:
            try:
                with open_url(request, 30) as answer:
                    self.answered.add(json.load(answer)["request_id"])
            except (OSError, ValueError):
                return
            self._enough.release()


def start_senders() -> list[Sender]:
    """Start threads that send, and return them when they have enough answers."""
    golden = served_manifest("iris")["golden"]
    body = json.dumps(golden["request"]).encode()
    enough = threading.Semaphore(0)
    senders = [Sender(body, enough) for _ in range(SENDERS)]
    for sender in senders:
        sender.start()
    for _ in range(ENOUGH):
        assert enough.acquire(timeout=PATIENCE_SECONDS)
    return senders


def logged_request_ids(repo: Repo) -> set[str]:
    query = "SELECT request_id FROM predictions"
    with closing(sqlite3.connect(repo.build / "predictions.db")) as log:
        return {request_id for (request_id,) in log.execute(query)}


def test_every_answered_prediction_is_in_the_log(clone: Clone) -> None:
    repo = clone("user")
    prepare(repo)
    shutil.copytree(MODELS, repo.models)
    stack = LocalStack(repo, OFFSET, VARIABLES)
    answered: set[str] = set()
    with stack.started() as (supervisor, _):
        senders = start_senders()
        assert stack.run("--stop") == (0, "stopped.\n")
        for sender in senders:
            sender.join(60)
            answered |= sender.answered
        assert supervisor.wait(60) == 0
    assert len(answered) >= ENOUGH
    assert answered <= logged_request_ids(repo)
    for port in PORTS:
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", port)) != 0
