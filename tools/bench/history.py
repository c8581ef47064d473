"""Times the history at 30,000 runs, beside MLflow's file store on the same runs.

    nox -s bench            or    python -m tools.bench.history --runs 30000
    --file-store-runs 1000

Each run has 17 params, 5 metrics and 6 tags; six make a family. The file store gets the
first of the same runs only: it takes minutes to write more, and its times grow in
proportion to the runs, so its figures are given for that many, and as a ratio to ours
for as many.
"""

import argparse
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from mlflow import MlflowClient
from mlflow.entities import Metric, Param, RunTag
from rich.console import Console
from rich.table import Table

from core.git import git
from history import layout, runfile
from history.mlflow_rows import PARENT_TAG
from history.runfile import Run
from scripts import console

ROOT = Path(__file__).resolve().parent.parent
PARAMS, METRICS, TAGS, FAMILY, NEW = 17, 5, 6, 6, 12
EXPERIMENTS = ("housing", "iris", "credit")
FIRST = 1_700_000_000_000
GAP_MS = 600_000
say = Console(highlight=False, soft_wrap=True)


def make_runs(count: int, seed: int = 0) -> Iterator[Run]:
    """Yield made-up runs, always the same ones."""
    draw = random.Random(seed)
    parent = ""
    for number in range(count):
        run_id = f"{draw.getrandbits(128):032x}"
        parent = parent if number % FAMILY else run_id
        started = FIRST + number * GAP_MS + seed
        tags = {
            "mlflow.runName": f"candidate-{number}",
            "mlflow.user": "github-actions",
            "mlflow.source.name": "pipeline",
            "mlflow.source.type": "JOB",
            "git.commit": f"{draw.getrandbits(160):040x}",
            "data.digest": "0123456789abcdef" * 4,
        }
        assert len(tags) == TAGS
        yield Run.model_validate(
            {
                **{"format": 1, "run_id": run_id, "name": f"candidate-{number}"},
                **{"experiment": EXPERIMENTS[number // FAMILY % len(EXPERIMENTS)]},
                **{
                    "parent": None if parent == run_id else parent,
                    "status": "FINISHED",
                },
                **{
                    "lifecycle_stage": "active",
                    "started": started,
                    "ended": started + 60_000,
                },
                **{
                    "user": "github-actions",
                    "tags": tags,
                    "datasets": [],
                    "model_inputs": [],
                },
                "params": {
                    f"param_{n}": str(round(draw.random(), 4)) for n in range(PARAMS)
                },
                "metrics": {
                    f"metric_{n}": [(draw.random(), 0, 0)] for n in range(METRICS)
                },
                **{"model_outputs": [], "models": [], "artifacts": []},
            }
        )


def write(mlruns: Path, runs: Iterator[Run]) -> None:
    """Write run folders as `pipeline history import` does."""
    for run in runs:
        folder = layout.day_folder(mlruns, run.experiment, run.started) / run.run_id
        folder.mkdir(parents=True)
        (folder / layout.RUN_FILE).write_text(runfile.dump(run), encoding="utf-8")


def log(client: MlflowClient, runs: Iterator[Run]) -> None:
    """Log runs through MLflow's client."""
    experiments = {name: client.create_experiment(name) for name in EXPERIMENTS}
    for run in runs:
        tags = run.tags | ({PARENT_TAG: run.parent} if run.parent else {})
        created = client.create_run(
            experiments[run.experiment], run.started, tags, run.name
        )
        client.log_batch(
            created.info.run_id,
            [
                Metric(key, points[0][0], run.started, 0)
                for key, points in run.metrics.items()
            ],
            [Param(key, value) for key, value in run.params.items()],
            [RunTag(key, value) for key, value in tags.items()],
        )
        client.set_terminated(created.info.run_id, run.status, run.ended)


def seconds(work: Callable[[], object], times: int = 1) -> float:
    """Return how long some work takes, the best of some times."""
    return min(_once(work) for _ in range(times))


def _once(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def python(*arguments: str) -> None:
    """Run Python from the repository's root."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
    )
    if done.returncode:
        raise SystemExit(done.stderr)


def build(folder: Path) -> None:
    """Restore as a user does, in a process of its own."""
    python("-m", "pipeline", "--repo", str(folder), "history", "build")


def search(uri: str) -> Callable[[], object]:
    """Return what asks for a page of all runs sorted by a metric."""
    client = MlflowClient(uri)
    experiments = [
        experiment.experiment_id for experiment in client.search_experiments()
    ]
    return lambda: client.search_runs(
        experiments, order_by=["metrics.metric_1 ASC"], max_results=100
    )


def packed_bytes(folder: Path) -> int:
    """Return the size of the packs of a repository with one commit of a folder."""
    options = (
        "-c",
        "user.name=bench",
        "-c",
        "user.email=bench@example.org",
        "-c",
        "gc.auto=0",
    )
    for arguments in (
        ["init", "--quiet"],
        ["add", "--all", "mlruns"],
        ["commit", "--quiet", "--message", "bench"],
        ["gc", "--quiet"],
    ):
        git(folder, *options, *arguments)
    return sum(
        path.stat().st_size for path in (folder / ".git" / "objects").rglob("*.pack")
    )


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
    (repo / "build" / "mlflow.db").unlink()
    found = {"build": seconds(lambda: build(repo)) - interpreter}
    write(repo / "mlruns", make_runs(NEW, seed=1))
    found["new"] = seconds(lambda: build(repo)) - interpreter
    work = search(f"sqlite:///{(repo / 'build' / 'mlflow.db').as_posix()}")
    found["search"] = seconds(work, 4)
    found["bytes"] = packed_bytes(repo) / (runs + NEW)
    found["files"] = files_in(repo / "mlruns") / (runs + NEW)
    found["entries"] = fullest(repo / "mlruns")
    return found


def measure_file_store(folder: Path, runs: int) -> dict[str, float]:
    """Measure MLflow's file store with so many runs."""
    os.environ["MLFLOW_ALLOW_FILE_STORE"] = "true"
    uri = (folder / "mlruns").as_uri()
    log(MlflowClient(uri), make_runs(runs))
    target = f"sqlite:///{(folder / 'mlflow.db').as_posix()}"
    migration = (
        "-m",
        "mlflow",
        "migrate-filestore",
        "--source",
        str(folder),
        "--target",
        target,
    )
    start = seconds(lambda: python("-c", "import mlflow.cli"))
    return {
        "build": seconds(lambda: python(*migration)) - start,
        "search": seconds(search(uri)),
        "bytes": packed_bytes(folder) / runs,
        "files": files_in(folder / "mlruns") / runs,
        "entries": fullest(folder / "mlruns"),
    }


ROWS = {
    "build": ("database from nothing", "s", 15.0),
    "new": (f"database with {NEW} new runs", "s", 1.0),
    "search": ("a page sorted by a metric", "s", 0.5),
    "bytes": ("packed, a run", "bytes", 1024.0),
    "files": ("files a run", "", 1.0),
    "entries": ("entries of the fullest folder", "", 3000.0),
}


def main() -> int:
    """Print all figures; end with 1 if one is over its limit at 30,000 runs."""
    parser = argparse.ArgumentParser(description=console.first_line(__doc__))
    parser.add_argument("--runs", type=int, default=30_000)
    parser.add_argument("--file-store-runs", type=int, default=600)
    options = parser.parse_args()
    interpreter = seconds(lambda: python("-c", "pass"), 3)
    folder = Path(tempfile.mkdtemp(prefix="bench-"))
    try:
        ours = measure_history(folder / "history", options.runs, interpreter)
        few = measure_history(folder / "few", options.file_store_runs, interpreter)
        (folder / "store").mkdir()
        theirs = measure_file_store(folder / "store", options.file_store_runs)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print_figures(ours, few, theirs, options.runs, options.file_store_runs)
    return 1 if any(ours[key] > limit for key, (_, _, limit) in ROWS.items()) else 0


def print_figures(
    ours: dict[str, float],
    few: dict[str, float],
    theirs: dict[str, float],
    runs: int,
    some: int,
) -> None:
    """Print ours with the limits, then the file store's with the ratio to ours of as
    many runs.
    """
    columns = (
        f"history, {runs:,} runs",
        "limit",
        f"history, {some:,}",
        f"file store, {some:,}",
    )
    table = Table("", *columns, "ratio")
    for key, (title, unit, limit) in ROWS.items():
        their = f"{theirs[key]:,.2f} {unit}" if key in theirs else "-"
        ratio = f"{theirs[key] / few[key]:,.1f}" if key in theirs else "-"
        figures = (
            f"{ours[key]:,.2f} {unit}",
            f"{limit:,g} {unit}",
            f"{few[key]:,.2f} {unit}",
        )
        table.add_row(title, *figures, their, ratio)
    say.print(table)
    say.print(
        f"The file store was measured with {some:,} runs, which it takes long to write;"
        " its database from nothing is `mlflow migrate-filestore`, which knows no"
        " update. Times are beyond the start of the interpreter, and of MLflow's"
        " command in the file store's case."
    )


if __name__ == "__main__":
    sys.exit(console.run(main))
