"""Invented runs to measure the history with: always the same ones."""

import random
from collections.abc import Iterator
from pathlib import Path

from mlflow import MlflowClient
from mlflow.entities import Metric, Param, RunTag

from history import layout, runfile
from history.mlflow_rows import PARENT_TAG
from history.runfile import Run

PARAMS = 17
METRICS = 5
FAMILY = 6
EXPERIMENTS = ("housing", "iris", "credit")
FIRST_MS = 1_700_000_000_000
GAP_MS = 600_000
RUN_MS = 60_000


def make_runs(count: int, seed: int = 0) -> Iterator[Run]:
    """Yield runs with 17 params, 5 metrics and 6 tags; six make a family."""
    draw = random.Random(seed)
    parent = ""
    for number in range(count):
        run_id = f"{draw.getrandbits(128):032x}"
        if number % FAMILY == 0:
            parent = run_id
            yield _run(draw, number, run_id, None, seed)
        else:
            yield _run(draw, number, run_id, parent, seed)


def _run(
    draw: random.Random, number: int, run_id: str, parent: str | None, seed: int
) -> Run:
    started = FIRST_MS + number * GAP_MS + seed
    tags = {
        "mlflow.runName": f"candidate-{number}",
        "mlflow.user": "github-actions",
        "mlflow.source.name": "pipeline",
        "mlflow.source.type": "JOB",
        "git.commit": f"{draw.getrandbits(160):040x}",
        "data.digest": "0123456789abcdef" * 4,
    }
    params = {}
    for index in range(PARAMS):
        value = round(draw.random(), 4)
        params[f"param_{index}"] = str(value)
    metrics = {}
    for index in range(METRICS):
        metrics[f"metric_{index}"] = [(draw.random(), 0, 0)]
    return Run(
        format=1,
        run_id=run_id,
        name=f"candidate-{number}",
        experiment=EXPERIMENTS[number // FAMILY % len(EXPERIMENTS)],
        parent=parent,
        status="FINISHED",
        lifecycle_stage="active",
        started=started,
        ended=started + RUN_MS,
        user="github-actions",
        tags=tags,
        params=params,
        metrics=metrics,
        datasets=[],
        model_inputs=[],
        model_outputs=[],
        models=[],
        artifacts=[],
    )


def write(mlruns: Path, runs: Iterator[Run]) -> None:
    """Write run folders as the history has them."""
    for run in runs:
        folder = layout.day_folder(mlruns, run.experiment, run.started) / run.run_id
        folder.mkdir(parents=True)
        (folder / layout.RUN_FILE).write_text(runfile.dump(run), encoding="utf-8")


def log(client: MlflowClient, runs: Iterator[Run]) -> None:
    """Log runs with MLflow's client."""
    experiments = {name: client.create_experiment(name) for name in EXPERIMENTS}
    for run in runs:
        tags = dict(run.tags)
        if run.parent:
            tags[PARENT_TAG] = run.parent
        experiment = experiments[run.experiment]
        created = client.create_run(experiment, run.started, tags, run.name)
        run_id = created.info.run_id
        metrics = [
            Metric(key, points[0][0], run.started, 0)
            for key, points in run.metrics.items()
        ]
        params = [Param(key, value) for key, value in run.params.items()]
        run_tags = [RunTag(key, value) for key, value in tags.items()]
        client.log_batch(run_id, metrics, params, run_tags)
        client.set_terminated(run_id, run.status, run.ended)
