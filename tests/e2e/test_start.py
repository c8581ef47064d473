"""The start command without Docker: the whole stack over a clone, from start to Ctrl-C."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from core.git import git
from pipeline.publish.publish import publish
from pipeline.repo import Repo
from tests.support import factories
from tests.support.local_stack import prepare
from tests.support.waiting import PATIENCE_SECONDS, wait_until

OFFSET = 20_000
API, MLFLOW, TRAINER, HISTORY = (port + OFFSET for port in (8000, 5000, 8001, 5001))

pytestmark = pytest.mark.slow


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def command(repo: Repo, *flags: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "scripts.start", "--port-offset", str(OFFSET), *flags],
        cwd=repo.root,
        # Only what is in the project: what this machine has installed is not what is
        # tested.
        env={**os.environ, "PATH": "/usr/bin:/bin", "PYTHONPATH": ""},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )


def said_by(repo: Repo, *flags: str) -> tuple[int, str]:
    process = command(repo, *flags)
    said, _ = process.communicate(timeout=PATIENCE_SECONDS)
    return process.returncode, said


@contextmanager
def started(repo: Repo) -> Iterator[tuple[subprocess.Popen[str], str]]:
    process, said = command(repo, "--local"), ""
    assert process.stdout
    try:
        while "Ctrl-C or --stop ends it" not in said:
            line = process.stdout.readline()
            assert line, said
            said += line
        yield process, said
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            process.wait(timeout=PATIENCE_SECONDS)


def ask(port: int, path: str, content: object = None) -> dict[str, object]:
    body = None if content is None else json.dumps(content).encode()
    head = {"Content-Type": "application/json"}
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", body, head)
    with urllib.request.urlopen(request, timeout=30) as answer:
        found: dict[str, object] = json.load(answer)
        return found


def key_of(repo: Repo) -> str:
    """Return the key that the first start has made, which its owner alone can read."""
    file = repo.build / "admin-key"
    assert file.stat().st_mode & 0o777 == 0o600
    code, key = said_by(repo, "--key")
    assert code == 0 and key == file.read_text("utf-8")
    return key.strip()


def status(path: str, key: str) -> int:
    request = urllib.request.Request(
        f"http://127.0.0.1:{API}{path}", headers={"X-API-Key": key}
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def experiments() -> set[str]:
    path = "/api/2.0/mlflow/experiments/search"
    found = ask(MLFLOW, path, {"max_results": 100})["experiments"]
    assert isinstance(found, list)
    return {experiment["name"] for experiment in found}


def pushes() -> dict[str, str]:
    with urllib.request.urlopen(
        f"http://127.0.0.1:{HISTORY}/metrics", timeout=30
    ) as answer:
        text = answer.read().decode()
    return dict(
        re.findall(r'^model_history_pushes{task="(\w+)"} (.*)$', text, re.MULTILINE)
    )


def test_the_stack_serves_follows_a_pull_and_leaves_nothing_behind(
    clone: Callable[..., Repo], tmp_path: Path
) -> None:
    repo, team = clone("user"), clone("team")
    commit = git(team.root, "rev-parse", "HEAD")
    factories.bundle(tmp_path / "one", commit, {"housing": 0.5}, seed=1)
    publish(team, tmp_path / "one", "origin", "main")
    git(repo.root, "pull", "--quiet")
    prepare(repo)
    with started(repo) as (process, said):
        assert "2 of 2 runs" in said and "housing v1" in said and f":{API}/docs" in said
        assert "mattered most" in said

        key = key_of(repo)
        assert (
            status("/jobs/none", key) == 404
            and status("/jobs/none", "another key") == 401
        )
        assert os.path.join("build", "admin-key") in said and key not in said
        assert not [
            log
            for log in (repo.root / "logs").iterdir()
            if key in log.read_text("utf-8")
        ]

        code, again = said_by(repo, "--local")
        assert code == 0 and "runs already" in again and "2 of 2 runs" in again
        code, state = said_by(repo, "--status")
        assert code == 0 and "mlops-api" in state and "has ended" not in state
        code, lines = said_by(repo, "--logs", "mlops-api")
        assert code == 0 and "a model is in service" in lines

        factories.bundle(
            tmp_path / "two", commit, {"housing": 0.02, "iris": 0.05}, seed=2
        )
        publish(team, tmp_path / "two", "origin", "main")
        git(repo.root, "pull", "--quiet")
        wait_until(lambda: {"housing", "iris"} <= experiments())
        wait_until(lambda: ask(API, "/models/housing")["version"] == 2)
        wait_until(lambda: pushes() == {"housing": "2.0", "iris": "1.0"})
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=PATIENCE_SECONDS) == 0
    assert all(map(is_free, (API, MLFLOW, TRAINER, HISTORY)))
    assert not list(repo.build.glob("stack-*.json"))
    assert said_by(repo, "--stop") == (0, "nothing ran.\n")


def test_a_port_that_is_taken_is_one_sentence(clone: Callable[..., Repo]) -> None:
    repo = clone("user")
    prepare(repo)
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", HISTORY))
        other.listen()
        code, said = said_by(repo, "--local")
    assert code == 1 and f"Port {HISTORY}: in use, mlflow-history needs it" in said
    assert "Traceback" not in said
