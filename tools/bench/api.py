"""Times the API beside other servers on the same machine, in the same run: `nox -s
bench`.

One worker each, the same client, keep-alive connections. Rounds alternate between the
servers, and what counts is the middle one of the rounds' ratios: the machine's other
work hits both alike.
"""

import argparse
import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import uvloop
from rich.console import Console
from rich.table import Table

from scripts import console
from scripts.loopback import free_port, open_url
from tools.bench import load
from tools.bench.load import Load

ROOT = Path(__file__).resolve().parent.parent
CONNECTIONS, ROUNDS = 16, 5
# As many requests at once as the API takes in (API_MAX_WAITING), and how many times
# that.
FULL, OVERLOAD = 32, 10
say = Console(highlight=False, soft_wrap=True)


@dataclass(frozen=True)
class Server:
    """A running server: its process, its port and how long it took until it answered."""

    process: subprocess.Popen[bytes]
    port: int
    ready_seconds: float

    def request(self, path: str, content: Any) -> bytes:
        """Return a POST to it as bytes."""
        return load.request(path, json.dumps(content).encode(), self.port)


@contextlib.contextmanager
def server(*arguments: str, health: str, **variables: str) -> Iterator[Server]:
    """Run a Python program that listens on the port that takes the place of `PORT`."""
    port = free_port()
    swapped = [argument.replace("PORT", str(port)) for argument in arguments]
    environment = {
        **os.environ,
        **{k: v.replace("PORT", str(port)) for k, v in variables.items()},
    }
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, *swapped],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        _await(process, f"http://127.0.0.1:{port}{health}")
        yield Server(process, port, time.perf_counter() - began)
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
            return  # it listens: that path is not one of its own
        except OSError:
            time.sleep(0.02)
    raise SystemExit(f"error: {address} did not start.")


@contextlib.contextmanager
def api(folder: Path) -> Iterator[Server]:
    """Run the API as `start-mlops.sh` does, its logs aside."""
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
    """Load the servers in turn; return each one's rounds."""
    found: list[list[Load]] = [[] for _ in pairs]
    paces = rates or [0.0] * len(pairs)
    for _ in range(ROUNDS):
        for number, (running, content) in enumerate(pairs):
            pace = paces[number]
            found[number].append(
                await load.run(running.port, content, CONNECTIONS, seconds, pace)
            )
    return found


def ratio(ours: list[Load], theirs: list[Load]) -> float:
    """Return how many times as many requests ours answers."""
    return median(
        one.rate / other.rate for one, other in zip(ours, theirs, strict=True)
    )


def golden(task: str) -> dict[str, Any]:
    """Return a record of a task."""
    manifest = json.loads(
        (ROOT / f"deployment/models/{task}/manifest.json").read_text("utf-8")
    )
    record: dict[str, Any] = manifest["golden"]["request"]
    return record


def champion_folder(task: str) -> Path:
    """Return the folder that MLflow serves a task's champion from."""
    entries = [
        json.loads(path.read_text("utf-8"))
        for path in ROOT.glob(f"mlruns/registry/{task}/*.json")
    ]
    model_id = max(entries, key=lambda entry: entry["version"])["model_id"]
    return next(ROOT.glob(f"mlruns/{task}/*/*/models/{model_id}"))


async def compare(folder: Path, seconds: float) -> Table:
    """Compare requests of one record, task by task and server by server."""
    table = Table(
        "one record", "server", "a second", "p99 ms", "API / server", "wanted"
    )
    for task in ("housing", "credit"):
        others = {
            "empty FastAPI endpoint": (("empty", task, "PORT"), "at least 0.8"),
            "FastAPI and scikit-learn": (
                ("sklearn", task, "PORT"),
                "at least 8; forest 30",
            ),
        }
        with api(folder) as ours:
            question = ours.request(f"/predict/{task}", golden(task))
            for name, (arguments, wanted) in others.items():
                with server(
                    "-m", "tools.bench.servers", *arguments, health="/docs"
                ) as other:
                    asked = other.request(f"/predict/{task}", golden(task))
                    found = await rounds([(ours, question), (other, asked)], seconds)
                _row(table, task, name, found, wanted)
            serve = (
                "-m",
                "mlflow",
                "models",
                "serve",
                "--model-uri",
                str(champion_folder(task)),
            )
            options = ("--env-manager", "local", "--port", "PORT", "--workers", "1")
            with server(*serve, *options, health="/ping") as other:
                asked = other.request(
                    "/invocations", {"dataframe_records": [golden(task)]}
                )
                found = await rounds([(ours, question), (other, asked)], seconds)
            _row(table, task, "mlflow models serve", found, "at least 4")
    return table


def _row(
    table: Table, task: str, name: str, found: list[list[Load]], wanted: str
) -> None:
    ours, theirs = found
    rate, p99 = median(one.rate for one in ours), median(
        one.quantile(0.99) for one in ours
    )
    table.add_row(task, "API", f"{rate:,.0f}", f"{p99:.1f}", "", "")
    rate, p99 = median(one.rate for one in theirs), median(
        one.quantile(0.99) for one in theirs
    )
    table.add_row(
        task, name, f"{rate:,.0f}", f"{p99:.1f}", f"{ratio(ours, theirs):.2f}", wanted
    )


async def half_load(folder: Path, seconds: float) -> str:
    """Compare the p99 at half of the top load with the empty endpoint's at the same
    rate.
    """
    with (
        api(folder) as ours,
        server(
            "-m", "tools.bench.servers", "empty", "housing", "PORT", health="/docs"
        ) as other,
    ):
        pairs = [
            (running, running.request("/predict/housing", golden("housing")))
            for running in (ours, other)
        ]
        top = median(one.rate for one in (await rounds(pairs, seconds))[0])
        found = await rounds(pairs, seconds, [top / 2, top / 2])
    mine, its = (median(one.quantile(0.99) for one in loads) for loads in found)
    rate = median(one.rate for one in found[0])
    return (
        f"p99 at half load ({rate:,.0f}/s): {mine:.2f} ms, empty endpoint {its:.2f} (≤"
        " 5 more)"
    )


async def batches(folder: Path, seconds: float) -> Table:
    """Time lists of records."""
    table = Table(
        "records a request", "requests a second", "records a second", "p99 ms"
    )
    with api(folder) as ours:
        for size in (1, 32, 1000):
            asked = ours.request("/predict/housing", [golden("housing")] * size)
            loads = (await rounds([(ours, asked)], seconds))[0]
            rate, p99 = median(x.rate for x in loads), median(
                x.quantile(0.99) for x in loads
            )
            table.add_row(
                f"{size:,}", f"{rate:,.0f}", f"{rate * size:,.0f}", f"{p99:.1f}"
            )
    return table


async def overload(folder: Path, seconds: float) -> list[str]:
    """Ten times what is taken in, from clients that ask again at once; and how it is
    after.
    """
    with api(folder) as ours:
        asked = ours.request("/predict/housing", golden("housing"))
        before = await load.run(ours.port, asked, FULL, 5)
        storm = load.run(ours.port, asked, FULL * OVERLOAD, seconds)
        paths = ("/health/live", "/health/ready", "/metrics")
        looks = [
            load.run(ours.port, load.look(path, ours.port), 1, seconds, 5)
            for path in paths
        ]
        during, *probes = await asyncio.gather(storm, *looks)
        after = await load.run(ours.port, asked, FULL, 5)
    return [
        (
            f"overload × {OVERLOAD}, {during.took:.0f} s: p99 of the accepted "
            f"{during.quantile(0.99):.1f} ms, before {before.quantile(0.99):.1f}, "
            f"after {after.quantile(0.99):.1f}"
        ),
        (
            f"  answers by status {during.statuses}, broken {during.broken}; a second"
            f" accepted {during.rate:,.0f}, before {before.rate:,.0f}, after"
            f" {after.rate:,.0f}"
        ),
        (
            f"  probes: {[probe.statuses for probe in probes]}, the slowest in "
            f"{max(probe.quantile(1) for probe in probes):.0f} ms"
        ),
    ]


async def training(folder: Path) -> str:
    """Predict at half load while the trainer trains."""
    with api(folder) as ours:
        asked = ours.request("/predict/housing", golden("housing"))
        pace = (await load.run(ours.port, asked, CONNECTIONS, 4)).rate / 2
        quiet = await load.run(ours.port, asked, CONNECTIONS, 15, pace)
        variables = {"TRAINER_PORT": "PORT", "TRAINER_STATE": str(folder / "state")}
        trainer = ("-m", "pipeline", "trainer")
        with server(*trainer, health="/health", **variables) as beside:
            job = {"kind": "train", "task": "iris", "algorithm": "random_forest"}
            job |= {"parameters": {"n_estimators": 500}, "data": None}  # type: ignore[dict-item]
            _get(beside.port, "/jobs", job)
            busy = await load.run(ours.port, asked, CONNECTIONS, 15, pace)
    before, beside_ms = quiet.quantile(0.99), busy.quantile(0.99)
    return (
        f"p99 while the trainer trains: {beside_ms:.2f} ms, before {before:.2f} (at"
        " most doubled)"
    )


def process(folder: Path) -> str:
    """Say how long a start takes and how much memory the API has after it answered."""
    starts = []
    for _ in range(ROUNDS):
        with api(folder) as ours:
            starts.append(ours.ready_seconds)
            _get(ours.port, "/predict", [golden("housing")] * 1000)
            status = Path(f"/proc/{ours.process.pid}/status").read_text("utf-8")
    memory = next(
        line.split()[1] for line in status.splitlines() if line.startswith("VmRSS")
    )
    return (
        f"start to ready {median(starts):.2f} s (< 2); memory {int(memory) / 1000:.0f}"
        " MB (< 250)"
    )


def _get(port: int, path: str, content: Any = None) -> None:
    body = None if content is None else json.dumps(content).encode()
    head = {"Content-Type": "application/json"}
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", body, head)
    open_url(request, 30).close()


async def run(folder: Path, seconds: float) -> None:
    """Run everything and print it."""
    say.print(process(folder))
    say.print(await compare(folder, seconds))
    say.print(await batches(folder, seconds))
    say.print(await half_load(folder, seconds))
    for line in await overload(folder, seconds * 10):
        say.print(line)
    say.print(await training(folder))


def main() -> None:
    """Parse the arguments and run."""
    parser = argparse.ArgumentParser(description=console.first_line(__doc__))
    parser.add_argument("--seconds", type=float, default=3.0, help="length of a round")
    seconds = parser.parse_args().seconds
    with tempfile.TemporaryDirectory() as folder:
        uvloop.run(run(Path(folder), seconds))


if __name__ == "__main__":
    sys.exit(console.run(main))
