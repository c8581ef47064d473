"""The whole check of the history, which needs the project's packages.

`verify_mlflow_data.py` calls it where they are installed, and `smoke.py` compares a
server with the history.
"""

import math
from collections.abc import Iterator
from contextlib import suppress
from http.client import HTTPException
from pathlib import Path
from typing import Any

from core import environment
from core.errors import PipelineError
from core.redact import redact
from history import layout, mlflow_rows, runfile
from history.faults import Fault
from history.mlflow_source import connect
from history.runfile import Run
from pipeline.repo import Repo
from pipeline.verification import verify
from scripts.loopback import open_url


def check(root: Path, server: str) -> list[str]:
    """Return all faults of the files, and of what a server shows if one answers."""
    environment.prepare()
    try:
        repo = Repo.open(root)
        faults = verify(repo, notice=print)
        print(f"\nMLflow server {redact(server)}")
        if answers(server):
            faults += compare_server(repo, server)
        else:
            print("none answers; not compared.")
    except PipelineError as error:
        return [str(error)]
    return [str(fault) for fault in faults]


def answers(server: str) -> bool:
    """Return whether an MLflow server answers within two seconds."""
    try:
        with open_url(f"{server}/health", 2) as answer:
            return bool(answer.status == 200)
    except (HTTPException, OSError, ValueError):
        return False


def readable_runs(repo: Repo) -> Iterator[Run]:
    """Yield every run that can be read; verification names the others."""
    for folder in layout.day_folders(repo.mlruns):
        for name in layout.folders(folder):
            with suppress(PipelineError):
                yield runfile.load(folder / name / layout.RUN_FILE)


def compare_server(repo: Repo, server: str) -> list[Fault]:
    """Compare a server with the files, run by run, and print the numbers of runs.

    Raises:
        PipelineError: the server does not answer as MLflow does.
    """
    runs = {run.run_id: run for run in readable_runs(repo)}
    faults: list[Fault] = []
    seen: set[str] = set()
    others = 0
    with connect(server, repo.mlruns) as store:
        for entity in store.runs():
            run = runs.get(entity.info.run_id)
            if run is None:
                others += 1
                continue
            seen.add(run.run_id)
            faults += differences(run, entity)
    print(
        f"{len(seen)} of {len(runs)} runs are there, {len(faults)} of them differ;"
        f" {others} more are only on the server (`pipeline history import` imports"
        " them)."
    )
    for run_id in sorted(runs.keys() - seen):
        faults.append(Fault(f"run {run_id}", "the server does not show it"))
    return faults


def differences(run: Run, entity: Any) -> list[Fault]:
    """Return a fault that names what a server shows differently of a run, if anything."""
    different = []
    for name, (expected, shown) in compare(run, entity).items():
        if expected != shown:
            different.append(name)
    if not different:
        return []
    reason = f"the server shows another {', another '.join(different)}"
    return [Fault(f"run {run.run_id}", reason)]


def compare(run: Run, entity: Any) -> dict[str, tuple[object, object]]:
    """Return each part of a run as the file has it and as MLflow shows it."""
    info = entity.info
    tags = dict(run.tags)
    if run.parent:
        tags[mlflow_rows.PARENT_TAG] = run.parent
    latest = {key: number(run.latest(key) or 0.0) for key in run.metrics}
    metrics = {key: number(value) for key, value in entity.data.metrics.items()}
    times = (info.start_time, info.end_time or None)
    datasets = {(dataset.name, dataset.digest) for dataset in run.datasets}
    shown_datasets = set()
    for dataset_input in entity.inputs.dataset_inputs:
        dataset = dataset_input.dataset
        shown_datasets.add((dataset.name, dataset.digest))
    return {
        "name": (run.name, info.run_name),
        "status": (run.status, info.status),
        "time": ((run.started, run.ended), times),
        "param": (run.params, entity.data.params),
        "metric": (latest, metrics),
        "tag": (tags, entity.data.tags),
        "data set": (datasets, shown_datasets),
    }


def number(value: float) -> str:
    """Make metrics comparable: SQL holds the largest number for infinity."""
    if math.isnan(value):
        return "NaN"
    largest = mlflow_rows.LARGEST
    return repr(min(max(value, -largest), largest))
