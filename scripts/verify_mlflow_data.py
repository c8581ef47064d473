"""Shows what the history holds and checks it, against the files and against a running MLflow.

Run it from anywhere: `python scripts/verify_mlflow_data.py`. It ends with 1 if anything is wrong.
"""

import argparse
import math
import os
import sys
import urllib.error
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from rich.console import Console  # noqa: E402
from rich.table import Table  # noqa: E402

from app import surroundings  # noqa: E402
from pipeline.errors import PipelineError  # noqa: E402
from pipeline.git import GitError, git  # noqa: E402
from pipeline.history import layout, registry, rows, runfile  # noqa: E402
from pipeline.history.faults import Fault  # noqa: E402
from pipeline.history.runfile import Run  # noqa: E402
from pipeline.history.store import connect  # noqa: E402
from pipeline.history.verify import verify  # noqa: E402
from pipeline.redact import redact  # noqa: E402
from pipeline.repo import Repo  # noqa: E402
from scripts import console  # noqa: E402
from scripts.loopback import open_url  # noqa: E402

SERVER = os.environ.get("MLFLOW_TRACKING_URI", "http://127.0.0.1:5000")
COMMITS = 10
say = Console(highlight=False, soft_wrap=True)


def main() -> int:
    """Print all sections, then the verdict."""
    surroundings.prepare()
    parser = argparse.ArgumentParser(description=console.first_line(__doc__))
    parser.add_argument("--repo", type=Path, default=ROOT, help="the repository's root")
    parser.add_argument("--server", default=SERVER, help=f"the MLflow server ({redact(SERVER)})")
    options = parser.parse_args()
    try:
        repo = Repo.open(options.repo)
        faults = verify(repo, notice=lambda said: say.print(said, markup=False))
        show_files(repo)
        runs = {run.run_id: run for run in readable_runs(repo)}
        show_runs(list(runs.values()))
        show_models(repo)
        show_commits(repo)
        if answers(options.server):
            faults += show_server(repo, runs, options.server)
        else:
            say.print("\n[bold]MLflow server[/]")
            say.print(f"none answers at {redact(options.server)}; not compared.")
    except PipelineError as error:
        say.print(f"error: {error}", style="red", markup=False)
        return error.exit_status
    say.print("\n[bold]Verdict[/]")
    for fault in faults:
        say.print(f"✗ {fault}", style="red", markup=False)
    say.print(f"{len(faults)} faults." if faults else f"✓ {len(runs)} runs, no fault.")
    return 1 if faults else 0


def show_files(repo: Repo) -> None:
    """Count what lies in `mlruns/`, and find its fullest folder."""
    counts: Counter[str] = Counter()
    size, fullest = 0, (0, repo.mlruns)
    for parent, folders, files in os.walk(repo.mlruns):
        folders[:] = [name for name in folders if name[0] != "."]
        fullest = max(fullest, (len(folders) + len(files), Path(parent)))
        for name in files:
            below = Path(parent, name).relative_to(repo.mlruns).parts
            kind = below[0] if below[0] == layout.REGISTRY else below[3] if len(below) > 3 else name
            counts[kind] += 1
            size += Path(parent, name).stat().st_size
    table = Table("files of", "count", title="mlruns/", title_justify="left")
    for kind, count in sorted(counts.items()):
        table.add_row(kind, f"{count:,}")
    table.add_row("all", f"{sum(counts.values()):,} ({size / 1e6:,.1f} MB)")
    say.print(table)
    entries, folder = fullest
    say.print(f"fullest folder: {folder.relative_to(repo.root).as_posix()}, {entries} entries")


def readable_runs(repo: Repo) -> Iterator[Run]:
    """Yield every run that can be read; `verify` has named the others."""
    for folder in layout.day_folders(repo.mlruns):
        for name in layout.folders(folder):
            with suppress(PipelineError):
                yield runfile.load(folder / name / layout.RUN_FILE)


def show_runs(runs: list[Run]) -> None:
    """Show each experiment with its runs."""
    titles = ("experiment", "runs", "of them nested", "finished", "first", "last")
    table = Table(*titles, title="\nExperiments", title_justify="left")
    for name in sorted({run.experiment for run in runs}):
        own = [run for run in runs if run.experiment == name]
        nested = sum(run.parent is not None for run in own)
        finished = sum(run.status == "FINISHED" for run in own)
        days = sorted(run.started for run in own)
        table.add_row(name, *map(str, (len(own), nested, finished)), day(days[0]), day(days[-1]))
    say.print(table)


def show_models(repo: Repo) -> None:
    """Show each registered model with its champion."""
    titles = ("model", "champion", "promoted", "by", "run", "model.onnx")
    table = Table(*titles, title="\nModels", title_justify="left")
    for model in registry.models(repo.mlruns):
        with suppress(PipelineError):
            if last := registry.champion(repo.mlruns, model):
                facts = (day(last.promoted), last.decided_by, last.run_id[:8])
                size = f"{last.size:,} bytes, {last.sha256[:12]}"
                table.add_row(model, f"v{last.version}", *facts, size)
    say.print(table)


def show_commits(repo: Repo) -> None:
    """Show which commits brought what is in `mlruns/`."""
    say.print("\n[bold]Record of persistence[/] (git log -- mlruns/)")
    try:
        log = git(repo.root, "log", "--format=%h %cs %an: %s", "--", "mlruns")
        changed = git(repo.root, "status", "--porcelain", "--", "mlruns")
    except GitError as error:
        say.print(f"no record: {error}", markup=False)
        return
    commits = log.splitlines()
    for commit in commits[:COMMITS]:
        say.print(commit, markup=False)
    say.print(f"{len(commits)} commits in all; {len(changed.splitlines())} changes not committed.")


def answers(server: str) -> bool:
    """Tell whether an MLflow server answers within two seconds."""
    try:
        with open_url(f"{server}/health", 2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError, ValueError):
        return False


def show_server(repo: Repo, runs: dict[str, Run], server: str) -> list[Fault]:
    """Compare what a server shows with the files, run by run."""
    faults, seen, others = [], set(), 0
    with connect(server, repo.mlruns) as store:
        for entity in store.runs():
            run = runs.get(entity.info.run_id)
            others += run is None
            if run:
                seen.add(run.run_id)
                faults += differences(run, entity)
    absent = runs.keys() - seen
    faults += [Fault(f"run {run_id}", "the server does not show it") for run_id in sorted(absent)]
    say.print(f"\n[bold]MLflow server[/] {redact(server)}")
    say.print(
        f"{len(seen)} of {len(runs)} runs are there, {len(faults) - len(absent)} of them differ; "
        f"{others} more are on the server alone (`pipeline history save` takes them in)."
    )
    return faults


def differences(run: Run, entity: Any) -> list[Fault]:
    """Return a fault that names the parts of a run that a server shows differently, if any do."""
    different = [name for name, (ours, shown) in compare(run, entity).items() if ours != shown]
    if not different:
        return []
    reason = f"the server shows another {', another '.join(different)}"
    return [Fault(f"run {run.run_id}", reason)]


def compare(run: Run, entity: Any) -> dict[str, tuple[object, object]]:
    """Return what a run file and MLflow's entity say of each part of the run."""
    info, data = entity.info, entity.data
    tags = run.tags | ({rows.PARENT_TAG: run.parent} if run.parent else {})
    latest = {key: number(run.latest(key) or 0.0) for key in run.metrics}
    times = (info.start_time, info.end_time or None)
    known = {(dataset.name, dataset.digest) for dataset in run.datasets}
    shown = {(used.dataset.name, used.dataset.digest) for used in entity.inputs.dataset_inputs}
    return {
        "name": (run.name, info.run_name),
        "status": (run.status, info.status),
        "time": ((run.started, run.ended), times),
        "param": (run.params, data.params),
        "metric": (latest, {key: number(value) for key, value in data.metrics.items()}),
        "tag": (tags, data.tags),
        "data set": (known, shown),
    }


def number(value: float) -> str:
    """Make metrics comparable: SQL holds the largest number for infinity."""
    return "NaN" if math.isnan(value) else repr(min(max(value, -rows.LARGEST), rows.LARGEST))


def day(milliseconds: int) -> str:
    """Return a day in UTC."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC).date().isoformat()


if __name__ == "__main__":
    sys.exit(console.run(main))
