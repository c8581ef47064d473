"""The worker as a real process over a small checkout, and a client of its HTTP
interface.
"""

import contextlib
import json
import os
import shutil
import subprocess
import sys
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
from tests.support.json_content import Json
from tests.support.service import MODELS, REPOSITORY, make
from tests.support.serving import NO_WAY_OUT
from tests.support.waiting import PATIENCE_SECONDS, wait_until


def begin(folder: Path) -> Path:
    """Initialise a repository with parameters that are quick; nothing is committed."""
    folder.mkdir(parents=True, exist_ok=True)
    git(folder, "init", "--quiet", "-b", "main")
    params = folder / "params.yaml"
    params.write_text(factories.PARAMS % 1)
    ignored = folder / ".gitignore"
    ignored.write_text("build/\n")
    return folder


def checkout(folder: Path) -> Repo:
    """Return a repository with the history and the models of `tests.support.service`."""
    begin(folder)
    make()
    shutil.copytree(MODELS, folder / "deployment" / "models")
    shutil.copytree(REPOSITORY / "mlruns", folder / "mlruns")
    commit_all(folder, "feat: begin")
    return Repo.open(folder)


def read_manifest(folder: Path) -> Json:
    """Return the manifest in a model's folder."""
    path = folder / "manifest.json"
    manifest: Json = json.loads(path.read_bytes())
    return manifest


class Service:
    """A running worker."""

    def __init__(self, repo: Repo, process: "subprocess.Popen[str]", port: int) -> None:
        self.repo = repo
        self.process = process
        self.port = port
        self.address = f"http://127.0.0.1:{port}"
        self.state = repo.build / "serving"

    def call(self, path: str, body: object = None) -> tuple[int, Any]:
        """Return the status and the JSON of an answer."""
        data = None
        if body is not None:
            data = json.dumps(body).encode()
        request = urllib.request.Request(
            self.address + path,
            data=data,
            headers={"Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE_SECONDS) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)

    def status(self, path: str, body: object = None) -> int:
        """Return the status of an answer."""
        status, _ = self.call(path, body)
        return status

    def is_ready(self) -> bool:
        """Check that the process runs, and return whether it answers."""
        assert self.process.poll() is None
        try:
            answer = self.call("/health")
        except urllib.error.URLError:
            return False
        assert answer == (200, {"status": "ok"})
        return True

    def submit(self, **request: object) -> str:
        """Send a job and return its id."""
        status, job = self.call("/jobs", request)
        assert status == 202
        assert set(job) == {"id", "kind", "status", "created"}
        return str(job["id"])

    def job(self, job_id: str) -> Json:
        """Return a job as it is now."""
        status, job = self.call(f"/jobs/{job_id}")
        assert status == 200
        content: Json = job
        return content

    def wait(self, job_id: str, until: str = "ended") -> Json:
        """Return a job once it has ended, or another of its times is set."""
        wait_until(lambda: self.job(job_id)[until])
        return self.job(job_id)

    def run(self, **request: object) -> Json:
        """Send a job, wait for it, and return its result."""
        job_id = self.submit(**request)
        job = self.wait(job_id)
        assert job["status"] == "succeeded", job
        assert job["error"] is None
        result: Json = job["result"]
        return result

    def failure(self, **request: object) -> str:
        """Send a job that is expected to fail, and return its error message."""
        job_id = self.submit(**request)
        job = self.wait(job_id)
        assert job["status"] == "failed", job
        assert job["result"] is None
        error = str(job["error"])
        assert "\n" not in error
        assert "Traceback" not in error
        return error


@contextlib.contextmanager
def running(repo: Repo, **variables: str) -> Iterator[Service]:
    """Start a worker over a checkout and stop it in the end."""
    port = free_port()
    environment = {}
    for name, value in os.environ.items():
        if not name.startswith(("GITHUB_", "MLFLOW_")):
            environment[name] = value
    environment |= NO_WAY_OUT
    environment["PYTHONPATH"] = str(ROOT)
    environment["TRAINER_PORT"] = str(port)
    process = subprocess.Popen(
        [sys.executable, "-m", "pipeline", "--repo", str(repo.root), "serve-worker"],
        env=environment | variables,
        text=True,
    )
    service = Service(repo, process, port)
    try:
        wait_until(service.is_ready)
        yield service
    finally:
        process.terminate()
        process.wait(30)
