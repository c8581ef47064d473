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
from core.counts import counted
from core.errors import PipelineError
from core.redact import redact_address
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
        print(f"\nMLflow server {redact_address(server)}")
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
        f"{len(seen):,} of {counted(len(runs), 'run is', 'runs are')} there,"
        f" {len(faults)} of them differ;"
        f" {others} more are only on the server (`pipeline history import` imports"
        " them)."
    )
    missing = runs.keys() - seen
    for run_id in sorted(missing):
        faults.append(Fault(f"run {run_id}", "the server does not show it"))
    return faults


def differences(run: Run, entity: Any) -> list[Fault]:
    """Return a fault that names what a server shows differently of a run, if anything."""
    different = []
    for name, (expected, actual) in compare(run, entity).items():
        if expected != actual:
            different.append(name)
    if not different:
        return []
    reason = f"the server shows another {', another '.join(different)}"
    return [Fault(f"run {run.run_id}", reason)]


def compare(run: Run, entity: Any) -> dict[str, tuple[object, object]]:
    """Return each part of a run: its value in the file and that of the server."""
    info = entity.info
    data = entity.data
    return {
        "name": (run.name, info.run_name),
        "status": (run.status, info.status),
        "time": (
            (run.started, run.ended),
            (info.start_time, info.end_time or None),
        ),
        "param": (run.params, data.params),
        "metric": (latest_metrics(run), comparable(data.metrics)),
        "tag": (tags_with_parent(run), data.tags),
        "data set": (
            {(dataset.name, dataset.digest) for dataset in run.datasets},
            datasets_of(entity),
        ),
    }


def tags_with_parent(run: Run) -> dict[str, str]:
    """Return the tags of a run as MLflow has them."""
    if run.parent:
        return run.tags | {mlflow_rows.PARENT_TAG: run.parent}
    return run.tags


def datasets_of(entity: Any) -> set[tuple[str, str]]:
    """Return the names and digests of the data sets of MLflow's entity."""
    datasets = set()
    for dataset_input in entity.inputs.dataset_inputs:
        dataset = dataset_input.dataset
        datasets.add((dataset.name, dataset.digest))
    return datasets


def latest_metrics(run: Run) -> dict[str, str]:
    """Return the latest value of each metric of a run, as `comparable` does."""
    latest = {}
    for key in run.metrics:
        latest[key] = run.latest(key) or 0.0
    return comparable(latest)


def comparable(metrics: dict[str, float]) -> dict[str, str]:
    """Return metrics as texts, so that NaN equals NaN."""
    texts = {}
    for key, value in metrics.items():
        texts[key] = number(value)
    return texts


def number(value: float) -> str:
    """Return a value as a text; in SQL infinity is the largest number."""
    if math.isnan(value):
        return "NaN"
    largest = mlflow_rows.LARGEST
    return repr(min(max(value, -largest), largest))
