"""The trainer as a real process over a small checkout, and a client of its HTTP
interface.
"""

import contextlib
import json
import os
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from core.git import git
from pipeline.repo import Repo
from scripts.loopback import free_port
from tests.conftest import commit_all
from tests.paths import ROOT
from tests.support import factories
from tests.support.service import MODELS, REPOSITORY, make
from tests.support.serving import NO_WAY_OUT
from tests.support.waiting import PATIENCE_SECONDS


def begin(folder: Path) -> Path:
    """Make a repository with parameters that are quick; nothing is committed yet."""
    folder.mkdir(parents=True, exist_ok=True)
    git(folder, "init", "--quiet", "-b", "main")
    (folder / "params.yaml").write_text(factories.PARAMS % 1)
    (folder / ".gitignore").write_text("build/\n")
    return folder


def checkout(folder: Path) -> Repo:
    """Return a repository with the history and the models of `tests.support.service`."""
    begin(folder)
    make()
    shutil.copytree(MODELS, folder / "deployment" / "models")
    shutil.copytree(REPOSITORY / "mlruns", folder / "mlruns")
    commit_all(folder, "feat: begin")
    return Repo.open(folder)


class Service:
    """A running trainer."""

    def __init__(self, repo: Repo, process: "subprocess.Popen[str]", port: int) -> None:
        self.repo, self.process, self.port = repo, process, port
        self.state = repo.build / "serving"

    def call(self, path: str, body: object = None) -> tuple[int, Any]:
        """Return the status and the JSON of an answer."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}", data, headers
        )
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE_SECONDS) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)

    def submit(self, **request: object) -> str:
        """Send a job and return its id."""
        status, job = self.call("/jobs", request)
        assert status == 202 and set(job) == {"id", "kind", "status", "created"}
        return str(job["id"])

    def wait(self, job_id: str, until: str = "ended") -> dict[str, Any]:
        """Return a job once it has ended, or another of its times is set."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            job: dict[str, Any] = self.call(f"/jobs/{job_id}")[1]
            if job[until]:
                return job
            assert time.monotonic() < deadline, job
            time.sleep(0.05)

    def run(self, **request: object) -> dict[str, Any]:
        """Send a job, wait for it, and return its result."""
        job = self.wait(self.submit(**request))
        assert job["status"] == "succeeded" and job["error"] is None, job
        result: dict[str, Any] = job["result"]
        return result

    def failure(self, **request: object) -> str:
        """Send a job that is to fail, and return what it says."""
        job = self.wait(self.submit(**request))
        assert job["status"] == "failed" and job["result"] is None, job
        assert job["error"].count("\n") == 0 and "Traceback" not in job["error"]
        return str(job["error"])


@contextlib.contextmanager
def running(repo: Repo, **environment: str) -> Iterator[Service]:
    """Start a trainer over a checkout and stop it in the end."""
    port = free_port()
    kept = {
        k: v for k, v in os.environ.items() if not k.startswith(("GITHUB_", "MLFLOW_"))
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "pipeline", "--repo", str(repo.root), "serve-worker"],
        env={**kept, **NO_WAY_OUT, "PYTHONPATH": str(ROOT), "TRAINER_PORT": str(port)}
        | environment,
        text=True,
    )
    service = Service(repo, process, port)
    try:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            assert process.poll() is None and time.monotonic() < deadline
            with contextlib.suppress(urllib.error.URLError):
                assert service.call("/health") == (200, {"status": "ok"})
                break
            time.sleep(0.05)
        yield service
    finally:
        process.terminate()
        process.wait(30)
