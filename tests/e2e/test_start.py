"""The start command without Docker: the whole stack over a clone, from start to Ctrl-C."""

import os
import re
import signal
import socket
from pathlib import Path
from typing import Any

import httpx
import pytest

from core.git import git
from pipeline.publish.publish import publish
from pipeline.repo import Repo
from tests.conftest import Clone
from tests.support import factories
from tests.support.local_stack import LocalStack, prepare
from tests.support.waiting import PATIENCE_SECONDS, wait_until

# Below 32768, where Linux begins to give ports to outgoing connections.
OFFSET = 14_000
API = 8000 + OFFSET
MLFLOW = 5000 + OFFSET
WORKER = 8001 + OFFSET
HISTORY = 5001 + OFFSET
PORTS = (API, MLFLOW, WORKER, HISTORY)
PUSHES = re.compile(r'^model_history_pushes{task="(\w+)"} (.*)$', re.MULTILINE)
# The project's own programs alone: those that are installed here are not tested.
SYSTEM = {"PATH": "/usr/bin:/bin"}

pytestmark = pytest.mark.slow


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def get(port: int, path: str, **headers: str) -> httpx.Response:
    with httpx.Client(trust_env=False, timeout=30) as client:
        return client.get(f"http://127.0.0.1:{port}{path}", headers=headers)


def admin_key(stack: LocalStack) -> str:
    """Return the key of the first start, which only its owner can read."""
    file = stack.repo.build / "admin-key"
    if os.name != "nt":  # where a file has no such mode
        assert file.stat().st_mode & 0o777 == 0o600
    assert stack.run("--key") == (0, file.read_text("utf-8"))
    return file.read_text("utf-8").strip()


def status_with_key(key: str) -> int:
    headers = {"X-API-Key": key}
    return get(API, "/jobs/none", **headers).status_code


def experiments() -> set[str]:
    url = f"http://127.0.0.1:{MLFLOW}/api/2.0/mlflow/experiments/search"
    with httpx.Client(trust_env=False, timeout=30) as client:
        answer = client.post(url, json={"max_results": 100})
    return {experiment["name"] for experiment in answer.json()["experiments"]}


def served_version(task: str) -> Any:
    return get(API, f"/models/{task}").json()["version"]


def pushes() -> dict[str, str]:
    metrics = get(HISTORY, "/metrics").text
    return dict(PUSHES.findall(metrics))


class Publisher:
    """Publishes a team's bundles, which the user then pulls."""

    def __init__(self, team: Repo, user: Repo, folder: Path) -> None:
        self.team = team
        self.user = user
        self.folder = folder
        self.commit = git(team.root, "rev-parse", "HEAD")

    def publish(self, number: int, **noises: float) -> None:
        bundle = self.folder / f"bundle-{number}"
        factories.bundle(bundle, self.commit, noises, seed=number)
        publish(self.team, bundle, "origin", "main")
        git(self.user.root, "pull", "--quiet")


def check_key(stack: LocalStack, output: str) -> None:
    """Check that the key opens the API, and that it is in no log."""
    key = admin_key(stack)
    assert status_with_key(key) == 404
    assert status_with_key("another key") == 401
    assert os.path.join("build", "admin-key") in output
    assert key not in output
    for log in (stack.repo.root / "logs").iterdir():
        assert key not in log.read_text("utf-8"), log


def check_commands(stack: LocalStack) -> None:
    """Check the output of other flags while the stack runs."""
    code, output = stack.run("--local")
    assert code == 0
    assert "runs already" in output
    assert "2 of 2 runs" in output
    code, output = stack.run("--status")
    assert code == 0
    assert "mlops-api" in output
    assert "has ended" not in output
    code, output = stack.run("--logs", "mlops-api")
    assert code == 0
    assert "a model is in service" in output


def test_the_stack_serves_follows_a_pull_and_leaves_nothing_behind(
    clone: Clone, tmp_path: Path
) -> None:
    repo = clone("user")
    publisher = Publisher(clone("team"), repo, tmp_path)
    publisher.publish(1, housing=0.5)
    prepare(repo)
    stack = LocalStack(repo, OFFSET, SYSTEM)
    with stack.started() as (process, output):
        for expected in (
            "2 of 2 runs",
            "housing v1",
            f":{API}/docs",
            "mattered most",
        ):
            assert expected in output
        check_key(stack, output)
        check_commands(stack)
        publisher.publish(2, housing=0.02, iris=0.05)
        wait_until(lambda: experiments() >= {"housing", "iris"})
        wait_until(lambda: served_version("housing") == 2)
        wait_until(lambda: pushes() == {"housing": "2.0", "iris": "1.0"})
        if os.name == "nt":  # a console sends Ctrl-C there, and not another process
            stack.run("--stop")
        else:
            process.send_signal(signal.SIGINT)
        assert process.wait(timeout=PATIENCE_SECONDS) == 0
    for port in PORTS:
        assert is_free(port)
    assert list(repo.build.glob("stack-*.json")) == []
    assert stack.run("--stop") == (0, "nothing ran.\n")


def test_a_port_that_is_taken_is_one_sentence(clone: Clone) -> None:
    repo = clone("user")
    prepare(repo)
    stack = LocalStack(repo, OFFSET, SYSTEM)
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", HISTORY))
        other.listen()
        code, output = stack.run("--local")
    assert code == 1
    assert f"Port {HISTORY}: in use, mlflow-history needs it" in output
    assert "Traceback" not in output
