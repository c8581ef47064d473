"""Times the API and other servers on the same machine, in the same run: `nox -s bench`.

One worker each, the same client, keep-alive connections. Rounds alternate between the
servers, and what counts is the median of the rounds' ratios: the machine's other work
hits both alike.
"""

import asyncio
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import Annotated

import typer
import uvloop
from rich.console import Console
from rich.table import Table

from scripts import commands
from tools.bench import load
from tools.bench.load import Load
from tools.bench.running import (
    CONNECTIONS,
    ROUNDS,
    api,
    champion_folder,
    golden,
    p99,
    rate,
    ratio,
    rounds,
    server,
)

# As many requests at once as the API takes in (API_MAX_WAITING), and how many times
# that.
FULL = 32
OVERLOAD = 10
say = Console(highlight=False, soft_wrap=True)


async def compare(folder: Path, seconds: float) -> Table:
    """Compare requests of one record, task by task and server by server."""
    table = Table("one record", "server", "per second", "p99 ms")
    table.add_column("API / server")
    table.add_column("wanted")
    for task in ("housing", "credit"):
        await _compare_with_fastapi(
            table, folder, seconds, task, "empty", "at least 0.85"
        )
        await _compare_with_fastapi(
            table, folder, seconds, task, "sklearn", "at least 8; forest 30"
        )
        await _compare_with_mlflow(table, folder, seconds, task)
    return table


async def _compare_with_fastapi(
    table: Table, folder: Path, seconds: float, task: str, kind: str, wanted: str
) -> None:
    names = {
        "empty": "empty FastAPI endpoint",
        "sklearn": "FastAPI and scikit-learn",
    }
    command = ["-m", "tools.bench.servers", kind, task, "PORT"]
    path = f"/predict/{task}"
    record = golden(task)
    with api(folder) as ours, server(*command, health="/docs") as other:
        pairs = [
            (ours, ours.request(path, record)),
            (other, other.request(path, record)),
        ]
        loads = await rounds(pairs, seconds)
    _add_rows(table, task, names[kind], loads, wanted)


async def _compare_with_mlflow(
    table: Table, folder: Path, seconds: float, task: str
) -> None:
    command = ["-m", "mlflow", "models", "serve"]
    command += ["--model-uri", str(champion_folder(task)), "--env-manager", "local"]
    command += ["--port", "PORT", "--workers", "1"]
    record = golden(task)
    with api(folder) as ours, server(*command, health="/ping") as other:
        question = other.request("/invocations", {"dataframe_records": [record]})
        pairs = [
            (ours, ours.request(f"/predict/{task}", record)),
            (other, question),
        ]
        loads = await rounds(pairs, seconds)
    _add_rows(table, task, "mlflow models serve", loads, "at least 4")


def _add_rows(
    table: Table, task: str, name: str, loads: list[list[Load]], wanted: str
) -> None:
    ours, theirs = loads
    table.add_row(task, "API", f"{rate(ours):,.0f}", f"{p99(ours):.1f}", "", "")
    figures = [f"{rate(theirs):,.0f}", f"{p99(theirs):.1f}"]
    table.add_row(task, name, *figures, f"{ratio(ours, theirs):.2f}", wanted)


async def half_load(folder: Path, seconds: float) -> str:
    """Compare the p99 at half of the top load with the empty endpoint's."""
    command = ["-m", "tools.bench.servers", "empty", "housing", "PORT"]
    record = golden("housing")
    with api(folder) as ours, server(*command, health="/docs") as other:
        pairs = [
            (running, running.request("/predict/housing", record))
            for running in (ours, other)
        ]
        top = await rounds(pairs, seconds)
        pace = rate(top[0]) / 2
        loads = await rounds(pairs, seconds, [pace, pace])
    return (
        f"p99 at half load ({rate(loads[0]):,.0f}/s): {p99(loads[0]):.2f} ms, empty"
        f" endpoint {p99(loads[1]):.2f} (≤ 5 more)"
    )


async def batches(folder: Path, seconds: float) -> Table:
    """Time lists of records."""
    table = Table("records per request", "requests per second")
    table.add_column("records per second")
    table.add_column("p99 ms")
    with api(folder) as ours:
        for size in (1, 32, 1000):
            question = ours.request("/predict/housing", [golden("housing")] * size)
            loads = (await rounds([(ours, question)], seconds))[0]
            pace = rate(loads)
            figures = [f"{pace:,.0f}", f"{pace * size:,.0f}", f"{p99(loads):.1f}"]
            table.add_row(f"{size:,}", *figures)
    return table


async def overload(folder: Path, seconds: float) -> list[str]:
    """Send ten times what is taken in, and describe the answers meanwhile and after."""
    with api(folder) as ours:
        question = ours.request("/predict/housing", golden("housing"))
        before = await load.run(ours.port, question, FULL, 5)
        probes = [
            load.run(ours.port, load.look(path, ours.port), 1, seconds, 5)
            for path in ("/health/live", "/health/ready", "/metrics")
        ]
        storm = load.run(ours.port, question, FULL * OVERLOAD, seconds)
        during, *probed = await asyncio.gather(storm, *probes)
        after = await load.run(ours.port, question, FULL, 5)
    slowest = max(probe.quantile(1) for probe in probed)
    return [
        (
            f"overload × {OVERLOAD}, {during.took:.0f} s: p99 of the accepted "
            f"{during.quantile(0.99):.1f} ms, before {before.quantile(0.99):.1f}, "
            f"after {after.quantile(0.99):.1f}"
        ),
        (
            f"  answers by status {during.statuses}, broken {during.broken}; accepted"
            f" per second {during.rate:,.0f}, before {before.rate:,.0f}, after"
            f" {after.rate:,.0f}"
        ),
        (
            f"  probes: {[probe.statuses for probe in probed]}, the slowest in"
            f" {slowest:.0f} ms"
        ),
    ]


async def training(folder: Path) -> str:
    """Predict at half load while the worker trains."""
    variables = {"TRAINER_PORT": "PORT", "TRAINER_STATE": str(folder / "state")}
    job = {
        "kind": "train",
        "task": "iris",
        "algorithm": "random_forest",
        "parameters": {"n_estimators": 500},
        "data": None,
    }
    worker = ["-m", "pipeline", "serve-worker"]
    with api(folder) as ours:
        question = ours.request("/predict/housing", golden("housing"))
        pace = (await load.run(ours.port, question, CONNECTIONS, 4)).rate / 2
        quiet = await load.run(ours.port, question, CONNECTIONS, 15, pace)
        with server(*worker, health="/health", **variables) as beside:
            beside.post("/jobs", job)
            busy = await load.run(ours.port, question, CONNECTIONS, 15, pace)
    return (
        f"p99 while the worker trains: {busy.quantile(0.99):.2f} ms, before"
        f" {quiet.quantile(0.99):.2f} (at most doubled)"
    )


def process(folder: Path) -> str:
    """Return how long a start takes, and the API's memory after it has answered."""
    starts = []
    for _ in range(ROUNDS):
        with api(folder) as ours:
            starts.append(ours.ready_seconds)
            ours.post("/predict", [golden("housing")] * 1000)
            status = Path(f"/proc/{ours.process.pid}/status").read_text("utf-8")
    resident = next(line for line in status.splitlines() if line.startswith("VmRSS"))
    megabytes = int(resident.split()[1]) / 1000
    return (
        f"start to ready {median(starts):.2f} s (< 2); memory {megabytes:.0f} MB"
        " (< 250)"
    )


async def run(folder: Path, seconds: float) -> None:
    """Run everything and print it."""
    say.print(process(folder))
    say.print(await compare(folder, seconds))
    say.print(await batches(folder, seconds))
    say.print(await half_load(folder, seconds))
    for line in await overload(folder, seconds * 10):
        say.print(line)
    say.print(await training(folder))


def main(
    seconds: Annotated[float, typer.Option(help="Length of a round.")] = 3.0,
) -> None:
    """Compare the API's speed with that of other servers."""
    with tempfile.TemporaryDirectory() as folder:
        uvloop.run(run(Path(folder), seconds))


if __name__ == "__main__":
    sys.exit(commands.run(main))
