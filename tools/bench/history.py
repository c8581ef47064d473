"""Measure the history at 30,000 runs, and MLflow's file store with some of these runs.

    nox -s bench
    python -m tools.bench.history --runs 30000 --file-store-runs 1000

The file store gets the first of the same runs only: it takes minutes to write more, and
its times grow in proportion to the runs. So its figures are given for that many, with
the ratio to ours for as many.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from mlflow import MlflowClient
from rich.console import Console
from rich.table import Table

from scripts import commands
from tools.bench.disk import files_in, fullest, packed_bytes
from tools.bench.runs import log, make_runs, write

ROOT = Path(__file__).resolve().parents[2]
NEW = 12
console = Console(highlight=False, soft_wrap=True)

Figures = dict[str, float]


@dataclass(frozen=True)
class Row:
    """One row of the printed table.

    Attributes:
        key: the figure's name.
        limit: what the history may have at most, at 30,000 runs.
    """

    key: str
    title: str
    unit: str
    limit: float


ROWS = [
    Row("build", "database from nothing", "s", 15.0),
    Row("new", f"database with {NEW} new runs", "s", 1.0),
    Row("search", "a page sorted by a metric", "s", 0.5),
    Row("bytes", "packed, per run", "bytes", 1024.0),
    Row("files", "files per run", "", 1.0),
    Row("entries", "entries of the fullest folder", "", 3000.0),
]


def seconds(work: Callable[[], object], times: int = 1) -> float:
    """Return the shortest of the times that some work takes."""
    return min(_once(work) for _ in range(times))


def _once(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def python(*arguments: str) -> None:
    """Run Python from the repository's root."""
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        encoding="utf-8",
        errors="replace",
    )
    if done.returncode:
        raise SystemExit(done.stderr)


def build(folder: Path) -> None:
    """Build the database as a user does, in a process of its own."""
    python("-m", "pipeline", "--repo", str(folder), "history", "build")


def search(uri: str) -> Callable[[], object]:
    """Return a function that asks for a page of all runs, sorted by a metric."""
    client = MlflowClient(uri)
    experiments = []
    for experiment in client.search_experiments():
        experiments.append(experiment.experiment_id)

    def ask() -> object:
        order = ["metrics.metric_1 ASC"]
        return client.search_runs(experiments, order_by=order, max_results=100)

    return ask


def new_repo(folder: Path, runs: int) -> Path:
    """Make a checkout with a history of this many runs."""
    folder.mkdir()
    (folder / "params.yaml").touch()
    write(folder / "mlruns", make_runs(runs))
    return folder


def measure_history(folder: Path, runs: int, interpreter: float) -> Figures:
    """Measure a history of this many runs."""
    repo = new_repo(folder, runs)
    build(repo)  # once, so that nothing is read or compiled for the first time
    mlruns = repo / "mlruns"
    database = repo / "build" / "mlflow.db"
    database.unlink()
    from_nothing = seconds(lambda: build(repo))
    write(mlruns, make_runs(NEW, seed=1))
    with_new_runs = seconds(lambda: build(repo))
    ask = search(f"sqlite:///{database.as_posix()}")
    runs += NEW
    return {
        "build": from_nothing - interpreter,
        "new": with_new_runs - interpreter,
        "search": seconds(ask, 4),
        "bytes": packed_bytes(repo) / runs,
        "files": files_in(mlruns) / runs,
        "entries": fullest(mlruns),
    }


def measure_file_store(folder: Path, runs: int) -> Figures:
    """Measure MLflow's file store with this many runs."""
    os.environ["MLFLOW_ALLOW_FILE_STORE"] = "true"
    mlruns = folder / "mlruns"
    uri = mlruns.as_uri()
    log(MlflowClient(uri), make_runs(runs))
    database = folder / "mlflow.db"
    migration = [
        "-m",
        "mlflow",
        "migrate-filestore",
        "--source",
        str(folder),
        "--target",
        f"sqlite:///{database.as_posix()}",
    ]
    start = seconds(lambda: python("-c", "import mlflow.cli"))
    migrated = seconds(lambda: python(*migration))
    return {
        "build": migrated - start,
        "search": seconds(search(uri)),
        "bytes": packed_bytes(folder) / runs,
        "files": files_in(mlruns) / runs,
        "entries": fullest(mlruns),
    }


def main(
    runs: Annotated[int, typer.Option(help="Runs of the history.")] = 30_000,
    file_store_runs: Annotated[int, typer.Option(help="Runs of the file store.")] = 600,
) -> None:
    """Print all figures; the exit status is 1 if one of ours is over its limit."""
    interpreter = seconds(lambda: python("-c", "pass"), 3)
    folder = Path(tempfile.mkdtemp(prefix="bench-"))
    try:
        ours = measure_history(folder / "history", runs, interpreter)
        few = measure_history(folder / "few", file_store_runs, interpreter)
        store = folder / "store"
        store.mkdir()
        theirs = measure_file_store(store, file_store_runs)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print_figures(ours, few, theirs, runs, file_store_runs)
    for row in ROWS:
        if ours[row.key] > row.limit:
            raise typer.Exit(1)


def print_figures(
    ours: Figures,
    few: Figures,
    theirs: Figures,
    runs: int,
    fewer_runs: int,
) -> None:
    """Print our figures with their limits, and the file store's with the ratio.

    Args:
        ours: the figures of a history of `runs` runs.
        few: those of a history of `fewer_runs` runs.
        theirs: those of the file store with as many.
    """
    table = Table("", f"history, {runs:,} runs", "limit")
    table.add_column(f"history, {fewer_runs:,}")
    table.add_column(f"file store, {fewer_runs:,}")
    table.add_column("ratio")
    for row in ROWS:
        table.add_row(*_cells(row, ours, few, theirs))
    console.print(table)
    console.print(
        f"The file store was measured with {fewer_runs:,} runs, since it takes long to"
        " write them; its database from nothing is `mlflow migrate-filestore`, which"
        " cannot update one. Times do not include the start of the interpreter, nor"
        " that of MLflow's command in the file store's case."
    )


def _cells(row: Row, ours: Figures, few: Figures, theirs: Figures) -> list[str]:
    our_figure = few[row.key]
    cells = [
        row.title,
        f"{ours[row.key]:,.2f} {row.unit}",
        f"{row.limit:,g} {row.unit}",
        f"{our_figure:,.2f} {row.unit}",
    ]
    if row.key in theirs:
        their_figure = theirs[row.key]
        ratio = their_figure / our_figure
        cells.append(f"{their_figure:,.2f} {row.unit}")
        cells.append(f"{ratio:,.1f}")
    else:
        cells += ["-", "-"]
    return cells


if __name__ == "__main__":
    sys.exit(commands.run(main))
