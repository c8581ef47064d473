"""`--stop` while requests come in: whatever was answered is in the log, and nothing is
left.
"""

import json
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Callable
from contextlib import closing

import pytest

from pipeline.repo import Repo
from scripts.loopback import open_url
from tests.support.local_stack import prepare
from tests.support.service import MODELS
from tests.support.waiting import PATIENCE_SECONDS

OFFSET = 20_500
PORTS = {
    "mlops-api": 8000,
    "trainer": 8001,
    "mlflow-server": 5000,
    "mlflow-history": 5001,
}
API = f"http://127.0.0.1:{PORTS['mlops-api'] + OFFSET}"
SENDERS = 4
ENOUGH = 200

pytestmark = pytest.mark.slow


class Sender(threading.Thread):
    """Sends one request after the other until nobody answers, and keeps the ids of the
    answers.
    """

    def __init__(self, body: bytes, enough: threading.Semaphore) -> None:
        super().__init__(daemon=True)
        self.answered: list[str] = []
        self._body, self._enough = body, enough

    def run(self) -> None:
        """Send."""
        head = {"Content-Type": "application/json"}
        while True:
            try:
                request = urllib.request.Request(
                    f"{API}/predict/iris", self._body, head
                )
                with open_url(request, 30) as answer:
                    self.answered.append(json.load(answer)["request_id"])
            except (OSError, ValueError):
                return
            self._enough.release()


def start_command(*flags: str) -> list[str]:
    return [sys.executable, "-m", "scripts.start", "--port-offset", str(OFFSET), *flags]


def test_every_answered_prediction_is_in_the_log(clone: Callable[..., Repo]) -> None:
    repo = clone("user")
    prepare(repo)
    shutil.copytree(MODELS, repo.models)
    manifest = json.loads((repo.models / "iris" / "manifest.json").read_bytes())
    environment = os.environ | {"PYTHONPATH": "", "MLFLOW_STATIC_PREFIX": "/elsewhere"}
    environment["http_proxy"] = environment["HTTP_PROXY"] = "http://127.0.0.1:9"
    supervisor = subprocess.Popen(
        start_command("--local"),
        cwd=repo.root,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
    )
    assert supervisor.stdout
    said = ""
    try:
        while "--stop ends it" not in said:
            assert (line := supervisor.stdout.readline()), said
            said += line
        enough = threading.Semaphore(0)
        body = json.dumps(manifest["golden"]["request"]).encode()
        senders = [Sender(body, enough) for _ in range(SENDERS)]
        for sender in senders:
            sender.start()
        for _ in range(ENOUGH):
            assert enough.acquire(timeout=PATIENCE_SECONDS)
        stopped = subprocess.run(
            start_command("--stop"),
            cwd=repo.root,
            env=environment,
            capture_output=True,
            check=False,
        )
        for sender in senders:
            sender.join(60)
        assert supervisor.wait(60) == 0
    finally:
        supervisor.kill()
    assert (stopped.returncode, stopped.stdout.split()) == (
        0,
        [b"stopped."],
    ), stopped.stderr
    answered = {number for sender in senders for number in sender.answered}
    with closing(sqlite3.connect(repo.build / "predictions.db")) as log:
        logged = {
            number for (number,) in log.execute("SELECT request_id FROM predictions")
        }
    assert len(answered) >= ENOUGH and answered <= logged
    for port in PORTS.values():
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", port + OFFSET)) != 0
