"""Starting the workflow, with a real HTTP server in GitHub's place."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from pipeline.repo import Repo
from pipeline.trainer import retrain
from pipeline.trainer.jobs import Request

ROOT = Path(__file__).parents[3]
TOKEN = "ghs_0123456789abcdef"
REASON = "the data of housing changed at its source: sha256 1234… → 5678…"
TOLD = {"TASKS": "housing iris", "REASON": REASON, "FRESH_DATA": "true"}


class GitHub(ThreadingHTTPServer):
    """Answers as told, and keeps what it was asked."""

    status, answer = 204, b""
    asked: list[tuple[str, dict[str, str], Any]]


class Handler(BaseHTTPRequestHandler):
    server: GitHub

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.asked.append((self.path, dict(self.headers), json.loads(content)))
        self.send_response(self.server.status)
        self.end_headers()
        self.wfile.write(self.server.answer)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def github(monkeypatch: pytest.MonkeyPatch) -> Iterator[GitHub]:
    with GitHub(("127.0.0.1", 0), Handler) as server:
        server.asked = []
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("GITHUB_TOKEN", TOKEN)
        monkeypatch.setenv("GITHUB_REPOSITORY", "someone/mlops")
        monkeypatch.setenv("GITHUB_API_URL", f"http://127.0.0.1:{server.server_port}")
        yield server
        server.shutdown()


def dispatch(**told: str) -> subprocess.CompletedProcess[str]:
    """Run the script as the workflow does: nothing but the standard library can be imported."""
    command = [sys.executable, "-S", "-m", "scripts.ci.dispatch"]
    utf8 = {"PYTHONUTF8": "1"}
    return subprocess.run(
        command, cwd=ROOT, env=os.environ | told | utf8, capture_output=True, encoding="utf-8"
    )


def test_the_workflow_is_started_for_the_tasks(github: GitHub) -> None:
    done = dispatch(**TOLD)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"Started mlops.yml on main for housing iris: {REASON}\n"
    ((path, headers, body),) = github.asked
    assert path == "/repos/someone/mlops/actions/workflows/mlops.yml/dispatches"
    assert headers["Authorization"] == f"Bearer {TOKEN}"
    inputs = {"tasks": "housing iris", "reason": REASON, "fresh_data": "true"}
    assert body == {"ref": "main", "inputs": inputs}


def test_the_inputs_are_those_of_the_trainer_s_request(
    github: GitHub, clone: Callable[..., Repo]
) -> None:
    dispatch(TASKS="housing iris", REASON="drift")
    repo = clone("checkout")
    asked = Request(kind="retrain", tasks=["housing", "iris"], reason="drift")
    retrain.run(repo, repo.build, asked)
    (path, _, ours), (theirs_path, _, theirs) = github.asked
    assert path == theirs_path and ours["ref"] == theirs["ref"]
    assert ours["inputs"] == theirs["inputs"] | {"fresh_data": "false"}


@pytest.mark.parametrize(
    ("status", "answer"),
    [(403, b'{"message":\n "Resource not accessible"}'), (422, b'{"message": "No ref"}')],
)
def test_a_refusal_is_one_sentence(github: GitHub, status: int, answer: bytes) -> None:
    github.status, github.answer = status, answer
    done = dispatch(**TOLD)
    said = " ".join(answer.decode().split())
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.endswith(f"/dispatches: GitHub answers {status}: {said}\n")
    assert done.stderr.count("\n") == 1 and TOKEN not in done.stderr


@pytest.mark.parametrize(
    ("told", "status", "words"),
    [
        ({"GITHUB_API_URL": "http://127.0.0.1:9"}, 1, "no answer ("),
        ({"GITHUB_API_URL": "nowhere"}, 1, "no answer (ValueError)"),
        ({"GITHUB_TOKEN": f"{TOKEN}\nX"}, 1, "no answer (ValueError)"),
        ({"GITHUB_TOKEN": " "}, 2, "GITHUB_TOKEN is not set"),
        ({"GITHUB_REPOSITORY": ""}, 2, "GITHUB_REPOSITORY is not set"),
    ],
)
def test_what_keeps_it_from_asking_is_one_sentence_without_the_token(
    github: GitHub, told: dict[str, str], status: int, words: str
) -> None:
    done = dispatch(**TOLD | told)
    assert (done.returncode, done.stdout) == (status, "")
    assert words in done.stderr and done.stderr.count("\n") == 1 and TOKEN not in done.stderr
    assert github.asked == []
