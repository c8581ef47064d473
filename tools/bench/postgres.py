"""Measure the build of a history of 30,000 runs into PostgreSQL.

    MLOPS_STORE=postgresql+psycopg://USER@HOST/EMPTY nox -s bench -- postgres

The database must be empty. MLflow creates its tables first, which takes ten seconds and
is not in the figures; neither is the start of the interpreter.
"""

import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from history.postgres_address import is_address
from scripts import commands
from tools.bench.history import NEW, build, console, new_repo, python, seconds
from tools.bench.runs import make_runs, write

# What a build may take at most, in seconds, at 30,000 runs.
FROM_NOTHING_LIMIT = 25.0
NEW_RUNS_LIMIT = 2.0

Figures = list[tuple[str, float, float]]


def measure(folder: Path, runs: int) -> Figures:
    """Measure both builds; return the title, the time and the limit of each."""
    interpreter = seconds(lambda: python("-c", "pass"), 3)
    build(new_repo(folder / "empty", 0))  # creates the tables
    repo = new_repo(folder / "history", runs)
    from_nothing = seconds(lambda: build(repo)) - interpreter
    write(repo / "mlruns", make_runs(NEW, seed=1))
    with_new_runs = seconds(lambda: build(repo)) - interpreter
    return [
        ("database from nothing", from_nothing, FROM_NOTHING_LIMIT),
        (f"database with {NEW} new runs", with_new_runs, NEW_RUNS_LIMIT),
    ]


def main(
    db: Annotated[
        str,
        typer.Option(envvar="MLOPS_STORE", help="The address of an empty database."),
    ],
    runs: Annotated[int, typer.Option(help="Runs of the history.")] = 30_000,
) -> None:
    """Print the figures; the exit status is 1 if one is over its limit."""
    if not is_address(db):
        raise typer.BadParameter("name a database in PostgreSQL", param_hint="--db")
    os.environ["MLOPS_STORE"] = db  # for the builds, which are processes
    folder = Path(tempfile.mkdtemp(prefix="bench-"))
    try:
        figures = measure(folder, runs)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    table = Table("", f"PostgreSQL, {runs:,} runs", "limit")
    for title, figure, limit in figures:
        table.add_row(title, f"{figure:,.2f} s", f"{limit:,g} s")
    console.print(table)
    if any(figure > limit for _, figure, limit in figures):
        raise typer.Exit(1)


if __name__ == "__main__":
    sys.exit(commands.run(main))
