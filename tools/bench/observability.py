"""Times what metrics, logs, drift and traces cost the API: `nox -s bench`."""

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
            bodies: dict[str, Any] = {"1": record, f"{LIST}": [record] * LIST}
            for size, body in bodies.items():
                pairs = [
                    (running, running.request(f"/predict/{task}", body))
                    for running in (ours, silent)
                ]
                loads = await rounds(pairs, seconds)
                table.add_row(task, size, f"{ratio(*loads):.2f}")
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
