"""Make a repository with thousands of pushes, publish to it, and print the figures.

    nox -s soak -- --pushes 1000 --publishes 3

The repository is made from the commit that is checked out. With 10,000 pushes it takes
some minutes and 4 GB below the folder for temporary files.
"""

import sys
import tempfile
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from scripts import commands
from tools.soak import measure, repository, table

ROOT = Path(__file__).resolve().parents[2]


def main(
    pushes: Annotated[
        int, typer.Option(min=1, help="How many pushes to invent.")
    ] = 10_000,
    publishes: Annotated[
        int, typer.Option(min=1, help="How many times to train and publish for real.")
    ] = 20,
) -> None:
    """Measure a repository with many pushes; compare with earlier figures."""
    console = Console(soft_wrap=True)
    with tempfile.TemporaryDirectory(prefix="mlops-soak-") as name:
        folder = Path(name).resolve()
        console.print(f"Inventing {pushes:,} pushes in {folder} ...")
        origin = folder / "origin.git"
        repository.make(ROOT, origin, pushes)
        figures = measure.measure_clones(origin, pushes, folder)
        console.print(f"Publishing {publishes} times ...")
        figures |= measure.measure_publishes(origin, publishes, folder)
        console.print("Archiving all years ...")
        figures |= measure.measure_archive(origin, folder)
    console.print(table.of(pushes, figures))


if __name__ == "__main__":
    sys.exit(commands.run(main))
