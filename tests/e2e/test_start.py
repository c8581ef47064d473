"""`scripts/start.py`, which both start scripts run: MLflow over a clone's history, then Ctrl-C."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.git import git
from pipeline.publishing.publish import publish
from pipeline.repo import Repo
from tests import forge

ROOT = Path(__file__).parents[2]
PORT = 5000

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("port 5000")]


def port_is_free() -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", PORT)) != 0


def start(repo: Repo) -> subprocess.Popen[str]:
    """Run the script as it lies in a clone that has this project's code."""
    for part in ("pipeline", "scripts"):
        shutil.copytree(ROOT / part, repo.root / part, dirs_exist_ok=True)
    return subprocess.Popen(
        [sys.executable, "scripts/start.py"],
        cwd=repo.root,
        env={**os.environ, "PYTHONPATH": str(repo.root)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def ask(path: str, question: dict[str, object]) -> dict[str, list[dict[str, object]]]:
    request = urllib.request.Request(
        f"http://127.0.0.1:{PORT}/api/2.0/mlflow/{path}",
        json.dumps(question).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        found: dict[str, list[dict[str, object]]] = json.load(answer)
        return found


@pytest.mark.skipif(not port_is_free(), reason=f"port {PORT} is in use on this machine")
def test_the_whole_history_is_served_and_follows_a_pull(
    clone: Callable[..., Repo], tmp_path: Path
) -> None:
    repo, team = clone("user"), clone("team")
    commit = git(team.root, "rev-parse", "HEAD")
    forge.bundle(tmp_path / "one", commit, {"housing": 0.05}, seed=1)
    publish(team, tmp_path / "one", "origin", "main")
    git(repo.root, "pull", "--quiet")
    process = start(repo)
    try:
        assert process.stdout
        said = ""
        while "Ctrl-C stops it" not in said:
            line = process.stdout.readline()
            assert line, said
            said += line
        assert "2 runs, all of mlruns/" in said and "housing v1" in said

        forge.bundle(tmp_path / "two", commit, {"iris": 0.05}, seed=2)
        publish(team, tmp_path / "two", "origin", "main")
        git(repo.root, "pull", "--quiet")
        deadline = time.monotonic() + 30
        names: set[object] = set()
        while "iris" not in names and time.monotonic() < deadline:
            time.sleep(1)
            found = ask("experiments/search", {"max_results": 100})["experiments"]
            names = {experiment["name"] for experiment in found}
        assert {"housing", "iris"} <= names
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) == 0
    assert port_is_free()


@pytest.mark.skipif(not port_is_free(), reason=f"port {PORT} is in use on this machine")
def test_a_port_that_is_taken_is_one_sentence(clone: Callable[..., Repo]) -> None:
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", PORT))
        other.listen()
        process = start(clone("user"))
        said, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert said.startswith("error: port 5000 on 127.0.0.1 is taken") and "Traceback" not in said
