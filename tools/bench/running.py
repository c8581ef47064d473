"""Servers that run for the time of a measurement, and rounds of load on them."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from scripts import commands
from scripts.loopback import free_port, open_url
from tools.bench import load
from tools.bench.load import Load

ROOT = Path(__file__).resolve().parents[2]
CONNECTIONS = 16
ROUNDS = 5


@dataclass(frozen=True)
class Server:
    """A running server, and how many seconds it took until it answered."""

    process: subprocess.Popen[bytes]
    port: int
    ready_seconds: float

    def request(self, path: str, content: Any) -> bytes:
        """Return a POST to it as bytes."""
        body = json.dumps(content).encode()
        return load.request(path, body, self.port)

    def post(self, path: str, content: Any) -> None:
        """Send a POST to it, and wait for the answer."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}",
            json.dumps(content).encode(),
            {"Content-Type": "application/json"},
        )
        open_url(request, 30).close()


@contextlib.contextmanager
def server(*arguments: str, health: str, **variables: str) -> Iterator[Server]:
    """Run a Python program that listens on the port that takes the place of `PORT`."""
    port = free_port()
    command = [sys.executable]
    for argument in arguments:
        command.append(argument.replace("PORT", str(port)))
    own = {}
    for name, value in variables.items():
        own[name] = value.replace("PORT", str(port))
    began = time.perf_counter()
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env=os.environ | own,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        _await(process, f"http://127.0.0.1:{port}{health}")
        ready_seconds = time.perf_counter() - began
        yield Server(process, port, ready_seconds)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        process.wait(60)


def _await(process: subprocess.Popen[bytes], address: str) -> None:
    while process.poll() is None:
        try:
            open_url(address, 2).close()
            return
        except urllib.error.HTTPError:
            return  # It listens, even if it does not have this path.
        except OSError:
            time.sleep(0.02)
    raise commands.fail(f"{address} did not start.")


@contextlib.contextmanager
def api(folder: Path) -> Iterator[Server]:
    """Run the API as `start-mlops.sh` does, with its logs in a folder."""
    variables = {
        "API_PORT": "PORT",
        "API_LOG_FILE": str(folder / "api.log"),
        "API_PREDICTION_LOG": str(folder / "predictions.db"),
    }
    with server("-m", "app", health="/health/ready", **variables) as running:
        yield running


async def rounds(
    pairs: list[tuple[Server, bytes]], seconds: float, rates: list[float] | None = None
) -> list[list[Load]]:
    """Load the servers in turn, each with its request; return each one's rounds."""
    loads: list[list[Load]] = [[] for _ in pairs]
    paces = rates or [0.0] * len(pairs)
    for _ in range(ROUNDS):
        for number, (running, content) in enumerate(pairs):
            pace = paces[number]
            port = running.port
            measured = await load.run(port, content, CONNECTIONS, seconds, pace)
            loads[number].append(measured)
    return loads


def rate(loads: list[Load]) -> float:
    """Return the median of the rounds' requests a second."""
    return median(load.rate for load in loads)


def p99(loads: list[Load]) -> float:
    """Return the median of the rounds' 99th percentiles, in milliseconds."""
    return median(load.quantile(0.99) for load in loads)


def ratio(ours: list[Load], theirs: list[Load]) -> float:
    """Return how many times as many requests our server answers."""
    ratios = []
    for our_round, their_round in zip(ours, theirs, strict=True):
        ratios.append(our_round.rate / their_round.rate)
    return median(ratios)


def manifest(task: str) -> dict[str, Any]:
    """Return the manifest of a task's model in service."""
    file = ROOT / "deployment" / "models" / task / "manifest.json"
    content: dict[str, Any] = json.loads(file.read_text("utf-8"))
    return content


def golden(task: str) -> dict[str, Any]:
    """Return the golden request of a task, which is a record."""
    golden_request = manifest(task)["golden"]
    record: dict[str, Any] = golden_request["request"]
    return record


def champion_folder(task: str) -> Path:
    """Return the folder that MLflow serves a task's champion from."""
    entries = []
    for path in ROOT.glob(f"mlruns/registry/{task}/*.json"):
        entry = json.loads(path.read_text("utf-8"))
        entries.append(entry)
    newest = max(entries, key=lambda entry: entry["version"])
    folders = ROOT.glob(f"mlruns/{task}/*/*/models/{newest['model_id']}")
    return next(folders)
