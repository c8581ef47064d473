"""Measure what metrics, logs, drift and traces cost the API: `nox -s bench`."""

import sys
import tempfile
from pathlib import Path
from typing import Annotated, Any

import typer
import uvloop
from rich.console import Console
from rich.table import Table

from scripts import commands
from tools.bench.running import api, golden, ratio, rounds, server

LIST = 100  # records of the longer request


async def compare(folder: Path, seconds: float) -> Table:
    """Compare the API with one that observes nothing."""
    table = Table("task", "records per request", "with all / without")
    command = ["-m", "tools.bench.silent", "PORT"]
    with api(folder) as ours, server(*command, health="/health") as silent:
        for task in ("housing", "credit"):
            record = golden(task)
            bodies: dict[int, Any] = {1: record, LIST: [record] * LIST}
            for size, body in bodies.items():
                pairs = []
                for running in (ours, silent):
                    content = running.request(f"/predict/{task}", body)
                    pairs.append((running, content))
                our_loads, their_loads = await rounds(pairs, seconds)
                share = ratio(our_loads, their_loads)
                table.add_row(task, str(size), f"{share:.2f}")
    return table


def main(
    seconds: Annotated[float, typer.Option(help="Length of a round.")] = 3.0,
) -> None:
    """Compare the API's speed with that of one without observability."""
    with tempfile.TemporaryDirectory() as folder:
        table = uvloop.run(compare(Path(folder), seconds))
    Console(highlight=False, soft_wrap=True).print(table)


if __name__ == "__main__":
    sys.exit(commands.run(main))
