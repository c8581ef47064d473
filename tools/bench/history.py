"""Times the history at 30,000 runs, and MLflow's file store on some of the same runs.

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
from pathlib import Path
from typing import Annotated

import typer
from mlflow import MlflowClient
from rich.console import Console
from rich.table import Table

from core.git import git
from scripts import commands
from tools.bench.runs import log, make_runs, write

ROOT = Path(__file__).resolve().parents[2]
NEW = 12
say = Console(highlight=False, soft_wrap=True)


def seconds(work: Callable[[], object], times: int = 1) -> float:
    """Return how long some work takes: the best of some times."""
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
        env={**os.environ, "PYTHONPATH": str(ROOT)},
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
    """Return what asks for a page of all runs sorted by a metric."""
    client = MlflowClient(uri)
    experiments = [found.experiment_id for found in client.search_experiments()]

    def ask() -> object:
        order = ["metrics.metric_1 ASC"]
        return client.search_runs(experiments, order_by=order, max_results=100)

    return ask


def packed_bytes(folder: Path) -> int:
    """Return the size of the packs of a repository with one commit of a folder."""
    options = ["-c", "user.name=bench", "-c", "user.email=bench@example.org"]
    options += ["-c", "gc.auto=0"]
    git(folder, *options, "init", "--quiet")
    git(folder, *options, "add", "--all", "mlruns")
    git(folder, *options, "commit", "--quiet", "--message", "bench")
    git(folder, *options, "gc", "--quiet")
    packs = (folder / ".git" / "objects").rglob("*.pack")
    return sum(path.stat().st_size for path in packs)


def files_in(folder: Path) -> int:
    """Count the files below a folder."""
    return sum(len(files) for _, _, files in os.walk(folder))


def fullest(folder: Path) -> int:
    """Return the number of entries of the folder that has most."""
    return max(len(folders) + len(files) for _, folders, files in os.walk(folder))


def new_repo(folder: Path, runs: int) -> Path:
    """Make a checkout with a history of so many runs."""
    folder.mkdir()
    (folder / "params.yaml").touch()
    write(folder / "mlruns", make_runs(runs))
    return folder


def measure_history(folder: Path, runs: int, interpreter: float) -> dict[str, float]:
    """Measure a history of so many runs."""
    repo = new_repo(folder, runs)
    build(repo)  # once, so that nothing is read or compiled for the first time
    database = repo / "build" / "mlflow.db"
    database.unlink()
    figures = {"build": seconds(lambda: build(repo)) - interpreter}
    write(repo / "mlruns", make_runs(NEW, seed=1))
    figures["new"] = seconds(lambda: build(repo)) - interpreter
    figures["search"] = seconds(search(f"sqlite:///{database.as_posix()}"), 4)
    figures["bytes"] = packed_bytes(repo) / (runs + NEW)
    figures["files"] = files_in(repo / "mlruns") / (runs + NEW)
    figures["entries"] = fullest(repo / "mlruns")
    return figures


def measure_file_store(folder: Path, runs: int) -> dict[str, float]:
    """Measure MLflow's file store with so many runs."""
    os.environ["MLFLOW_ALLOW_FILE_STORE"] = "true"
    uri = (folder / "mlruns").as_uri()
    log(MlflowClient(uri), make_runs(runs))
    target = f"sqlite:///{(folder / 'mlflow.db').as_posix()}"
    migration = ["-m", "mlflow", "migrate-filestore"]
    migration += ["--source", str(folder), "--target", target]
    start = seconds(lambda: python("-c", "import mlflow.cli"))
    return {
        "build": seconds(lambda: python(*migration)) - start,
        "search": seconds(search(uri)),
        "bytes": packed_bytes(folder) / runs,
        "files": files_in(folder / "mlruns") / runs,
        "entries": fullest(folder / "mlruns"),
    }


# By figure: its title, its unit, and its limit at 30,000 runs.
ROWS = {
    "build": ("database from nothing", "s", 15.0),
    "new": (f"database with {NEW} new runs", "s", 1.0),
    "search": ("a page sorted by a metric", "s", 0.5),
    "bytes": ("packed, per run", "bytes", 1024.0),
    "files": ("files per run", "", 1.0),
    "entries": ("entries of the fullest folder", "", 3000.0),
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
        (folder / "store").mkdir()
        theirs = measure_file_store(folder / "store", file_store_runs)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print_figures(ours, few, theirs, runs, file_store_runs)
    if any(ours[key] > limit for key, (_, _, limit) in ROWS.items()):
        raise typer.Exit(1)


def print_figures(
    ours: dict[str, float],
    few: dict[str, float],
    theirs: dict[str, float],
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
    for key, (title, unit, limit) in ROWS.items():
        cells = [f"{ours[key]:,.2f} {unit}", f"{limit:,g} {unit}"]
        cells.append(f"{few[key]:,.2f} {unit}")
        if key in theirs:
            cells.append(f"{theirs[key]:,.2f} {unit}")
            cells.append(f"{theirs[key] / few[key]:,.1f}")
        else:
            cells += ["-", "-"]
        table.add_row(title, *cells)
    say.print(table)
    say.print(
        f"The file store was measured with {fewer_runs:,} runs, since it takes long to"
        " write them; its database from nothing is `mlflow migrate-filestore`, which"
        " cannot update one. Times do not include the start of the interpreter, nor"
        " that of MLflow's command in the file store's case."
    )


if __name__ == "__main__":
    sys.exit(commands.run(main))
