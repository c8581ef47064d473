"""The whole check of the history, for which the project's packages are needed.

`verify_mlflow_data.py` calls it where they are installed, and `smoke.py` compares a
server with it.
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
    """Tell whether an MLflow server answers within two seconds."""
    try:
        with open_url(f"{server}/health", 2) as answer:
            return bool(answer.status == 200)
    except (HTTPException, OSError, ValueError):
        return False


def readable_runs(repo: Repo) -> Iterator[Run]:
    """Yield every run that can be read; `history.verify` names the others."""
    for folder in layout.day_folders(repo.mlruns):
        for name in layout.folders(folder):
            with suppress(PipelineError):
                yield runfile.load(folder / name / layout.RUN_FILE)


def compare_server(repo: Repo, server: str) -> list[Fault]:
    """Compare what a server shows with the files, run by run; print how many there are.

    Raises:
        PipelineError: the server does not answer as MLflow does.
    """
    runs = {run.run_id: run for run in readable_runs(repo)}
    different: list[Fault] = []
    seen: set[str] = set()
    others = 0
    with connect(server, repo.mlruns) as store:
        for entity in store.runs():
            run = runs.get(entity.info.run_id)
            others += run is None
            if run:
                seen.add(run.run_id)
                different += differences(run, entity)
    absent = sorted(runs.keys() - seen)
    print(
        f"{len(seen)} of {len(runs)} runs are there, {len(different)} of them differ;"
        f" {others} more are on the server alone (`pipeline history import` takes them"
        " in)."
    )
    return different + [
        Fault(f"run {run_id}", "the server does not show it") for run_id in absent
    ]


def differences(run: Run, entity: Any) -> list[Fault]:
    """Return a fault that names the parts of a run that a server shows differently, if
    any do.
    """
    different = [
        name for name, (ours, shown) in compare(run, entity).items() if ours != shown
    ]
    if not different:
        return []
    reason = f"the server shows another {', another '.join(different)}"
    return [Fault(f"run {run.run_id}", reason)]


def compare(run: Run, entity: Any) -> dict[str, tuple[object, object]]:
    """Return what a run file and MLflow's entity say of each part of the run."""
    info, data = entity.info, entity.data
    tags = run.tags | ({mlflow_rows.PARENT_TAG: run.parent} if run.parent else {})
    latest = {key: number(run.latest(key) or 0.0) for key in run.metrics}
    times = (info.start_time, info.end_time or None)
    known = {(dataset.name, dataset.digest) for dataset in run.datasets}
    shown = {
        (used.dataset.name, used.dataset.digest)
        for used in entity.inputs.dataset_inputs
    }
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
    return (
        "NaN"
        if math.isnan(value)
        else repr(min(max(value, -mlflow_rows.LARGEST), mlflow_rows.LARGEST))
    )
