"""The API in a process of its own: `python -m app` on a free port, over copies of the
models of `tests/support/service.py`.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx

from history import registry
from pipeline import tasks
from pipeline.repo import Repo
from pipeline.verification import open_history
from scripts.loopback import free_port
from tests.paths import ROOT
from tests.support.json_content import Json
from tests.support.service import MODELS, REPOSITORY
from tests.support.waiting import PATIENCE_SECONDS, wait_until

ADMIN_KEY = "a key for the tests"
AUTHORIZED = {"X-API-Key": ADMIN_KEY}
# The body in the README, as it stands.
HOUSE = {
    "MedInc": 8.3252,
    "HouseAge": 41.0,
    "AveRooms": 6.984,
    "AveBedrms": 1.023,
    "Population": 322.0,
    "AveOccup": 2.555,
    "Latitude": 37.88,
    "Longitude": -122.23,
}


def manifest(folder: Path) -> Json:
    """Return the manifest in a model's folder."""
    text = (folder / "manifest.json").read_bytes()
    content: Json = json.loads(text)
    return content


def served_manifest(task: str) -> Json:
    """Return the manifest of the task's model in service."""
    return manifest(MODELS / task)


def golden(task: str) -> Json:
    """Return a record that the task accepts."""
    return {feature.name: feature.example for feature in tasks.load(task).features}


def edit(folder: Path, **changes: Any) -> None:
    """Change keys of a model's manifest."""
    content = json.dumps(manifest(folder) | changes)
    (folder / "manifest.json").write_text(content, encoding="utf-8")


def put_older_version(folder: Path, task: str) -> int:
    """Replace a model's files with the newest version that has other content."""
    repo = Repo.open(REPOSITORY)
    paths = (repo.mlruns / "registry" / task).glob("*.json")
    promotions = sorted(
        map(registry.load, paths),
        key=lambda promotion: promotion.version,
        reverse=True,
    )
    newest = promotions[0]
    older = next(other for other in promotions if other.sha256 != newest.sha256)
    kept = open_history(repo).model_folder(older.run_id, older.model_id)
    shutil.copyfile(kept / "model.onnx", folder / "model.onnx")
    promotion = older.model_dump(
        include={
            "version",
            "run_id",
            "model_id",
            "commit",
            "promoted",
        }
    )
    content = json.dumps(manifest(kept) | promotion)
    (folder / "manifest.json").write_text(content, encoding="utf-8")
    return older.version


# A proxy at which nothing listens: requests on this machine must not go there.
NO_WAY_OUT = dict.fromkeys(
    ("http_proxy", "HTTP_PROXY", "all_proxy"), "http://127.0.0.1:9"
)


class Api:
    """A process with a folder for its models, its state and its logs.

    The settings are variables of its environment.
    """

    def __init__(
        self, folder: Path, models: Path | None = MODELS, **settings: str
    ) -> None:
        self.folder = folder
        self.models = folder / "models"
        if models:
            shutil.copytree(models, self.models)
        self.log = folder / "logs" / "api.log"
        self.predictions = folder / "predictions.db"
        self.port = free_port()
        self.environment = {
            "PYTHONPATH": str(ROOT),
            "HOME": str(folder / "home"),
            "API_PORT": str(self.port),
            "API_MODELS": str(self.models),
            "API_STATE": str(folder / "state"),
            "API_LOG_FILE": str(self.log),
            "API_PREDICTION_LOG": str(self.predictions),
            "API_RELOAD_SECONDS": "0.2",
        }
        for name, value in os.environ.items():
            if not name.startswith("API_"):
                self.environment.setdefault(name, value)
        self.environment |= NO_WAY_OUT | settings
        url = f"http://127.0.0.1:{self.port}"
        self.client = httpx.Client(base_url=url, timeout=PATIENCE_SECONDS)

    def start(self) -> "Api":
        """Start the process and wait until it answers."""
        with (self.folder / "output.txt").open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "app"],
                cwd=self.folder,
                env=self.environment,
                stdout=output,
                stderr=output,
            )
        wait_until(self._answers)
        return self

    def stop(self) -> int:
        """Send SIGTERM and return the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)

    def __enter__(self) -> "Api":
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.client.close()
        self.process.kill()
        self.process.wait()
        home = self.folder / "home"
        assert not home.exists(), "the API has written to the home folder"

    def output(self) -> str:
        """Return what the process wrote to stdout and stderr."""
        return (self.folder / "output.txt").read_text(encoding="utf-8")

    def get(self, path: str, status: int = 200) -> Any:
        """Return the JSON of a path that answers with a status."""
        answer = self.client.get(path)
        assert answer.status_code == status, answer.text
        return answer.json()

    def post(self, path: str, body: Any, status: int = 200) -> Any:
        """Return the JSON that a body is answered with."""
        answer = self.client.post(path, json=body)
        assert answer.status_code == status, answer.text
        return answer.json()

    def metric(self, name: str, **labels: str) -> float:
        """Return the sum of a metric's samples that have the labels."""
        wanted = []
        for key, value in labels.items():
            wanted.append(f'{key}="{value}"')
        total = 0.0
        for line in self.client.get("/metrics").text.splitlines():
            sample, _, value = line.rpartition(" ")
            if sample.partition("{")[0] != name:
                continue
            if all(label in sample for label in wanted):
                total += float(value)
        return total

    def logged(self, request_id: str) -> Json:
        """Wait for the log line of a request and return it."""
        lines: list[Json] = []

        def read() -> bool:
            lines.clear()
            for text in self.log.read_text(encoding="utf-8").splitlines():
                line = json.loads(text)
                if line.get("request_id") == request_id:
                    lines.append(line)
            return bool(lines)

        wait_until(read)
        return lines[0]

    def wait_for_rows(self, count: int) -> None:
        """Wait until the log of predictions has so many rows."""
        wait_until(lambda: self.metric("prediction_log_rows_total") >= count)

    def _answers(self) -> bool:
        if self.process.poll() is not None:
            raise AssertionError(f"the API ended: {self.output()}")
        try:
            return self.client.get("/health/live").is_success
        except httpx.TransportError:
            return False
