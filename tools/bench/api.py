"""Measure the API and other servers on the same machine, in one run: `nox -s bench`.

One worker each, the same client, keep-alive connections. Rounds alternate between the
servers, and the result is the median of the rounds' ratios, so that the machine's other
work affects both alike.
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
from tools.bench.comparison import compare, half_load
from tools.bench.running import (
    CONNECTIONS,
    ROUNDS,
    api,
    golden,
    p99,
    rate,
    rounds,
    server,
)

# As many requests at once as the API accepts (API_MAX_WAITING), and how many times as
# many an overload has.
FULL = 32
OVERLOAD = 10
PROBES = ("/health/live", "/health/ready", "/metrics")
console = Console(highlight=False, soft_wrap=True)


async def batches(folder: Path, seconds: float) -> Table:
    """Measure requests with several records."""
    table = Table("records per request", "requests per second")
    table.add_column("records per second")
    table.add_column("p99 ms")
    with api(folder) as ours:
        record = golden("housing")
        for size in (1, 32, 1000):
            content = ours.request("/predict/housing", [record] * size)
            (loads,) = await rounds([(ours, content)], seconds)
            requests = rate(loads)
            records = requests * size
            table.add_row(
                f"{size:,}",
                f"{requests:,.0f}",
                f"{records:,.0f}",
                f"{p99(loads):.1f}",
            )
    return table


async def overload(folder: Path, seconds: float) -> list[str]:
    """Send ten times what the API accepts, and describe the answers before and after."""
    with api(folder) as ours:
        port = ours.port
        content = ours.request("/predict/housing", golden("housing"))
        before = await load.run(port, content, FULL, 5)
        probes = []
        for path in PROBES:
            request = load.get_request(path, port)
            probe = load.run(port, request, 1, seconds, 5)
            probes.append(probe)
        overloaded = load.run(port, content, FULL * OVERLOAD, seconds)
        during, *probed = await asyncio.gather(overloaded, *probes)
        after = await load.run(port, content, FULL, 5)
    slowest = max(probe.quantile(1) for probe in probed)
    statuses = [probe.statuses for probe in probed]
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
        (f"  probes: {statuses}, the slowest in {slowest:.0f} ms"),
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
        port = ours.port
        content = ours.request("/predict/housing", golden("housing"))
        top = await load.run(port, content, CONNECTIONS, 4)
        pace = top.rate / 2
        quiet = await load.run(port, content, CONNECTIONS, 15, pace)
        with server(*worker, health="/health", **variables) as training_worker:
            training_worker.post("/jobs", job)
            busy = await load.run(port, content, CONNECTIONS, 15, pace)
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
    megabytes = 0.0
    for line in status.splitlines():
        if line.startswith("VmRSS"):
            kilobytes = line.split()[1]
            megabytes = int(kilobytes) / 1000
    return (
        f"start to ready {median(starts):.2f} s (< 2); memory {megabytes:.0f} MB"
        " (< 250)"
    )


async def run(folder: Path, seconds: float) -> None:
    """Run everything and print it."""
    console.print(process(folder))
    console.print(await compare(folder, seconds))
    console.print(await batches(folder, seconds))
    console.print(await half_load(folder, seconds))
    for line in await overload(folder, seconds * 10):
        console.print(line)
    console.print(await training(folder))


def main(
    seconds: Annotated[float, typer.Option(help="Length of a round.")] = 3.0,
) -> None:
    """Compare the API's speed with that of other servers."""
    with tempfile.TemporaryDirectory() as folder:
        uvloop.run(run(Path(folder), seconds))


if __name__ == "__main__":
    sys.exit(commands.run(main))
