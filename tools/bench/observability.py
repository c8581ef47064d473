"""Times what metrics, logs, drift and traces cost the API, in one run: `nox -s bench`."""

import argparse
import sys
import tempfile
from pathlib import Path

import uvloop
from rich.table import Table

from scripts import console
from tools.bench.api import api, golden, ratio, rounds, say, server

# One record, and a list of records.
QUESTIONS = {"1": 1, "100": 100}


async def compare(folder: Path, seconds: float) -> Table:
    """Compare the API with one that observes nothing."""
    table = Table("task", "records a request", "with all / without")
    with (
        api(folder) as ours,
        server("-m", "tools.bench.silent", "PORT", health="/health") as silent,
    ):
        for task in ("housing", "credit"):
            for name, count in QUESTIONS.items():
                record = golden(task)
                content = record if count == 1 else [record] * count
                pairs = [
                    (one, one.request(f"/predict/{task}", content))
                    for one in (ours, silent)
                ]
                found = await rounds(pairs, seconds)
                table.add_row(task, name, f"{ratio(*found):.2f}")
    return table


def main() -> None:
    """Parse the arguments and run."""
    parser = argparse.ArgumentParser(description=console.first_line(__doc__))
    parser.add_argument("--seconds", type=float, default=3.0, help="length of a round")
    seconds = parser.parse_args().seconds
    with tempfile.TemporaryDirectory() as folder:
        say.print(uvloop.run(compare(Path(folder), seconds)))


if __name__ == "__main__":
    sys.exit(console.run(main))
