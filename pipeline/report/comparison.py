"""`results/model_comparison.csv`: the best run of each algorithm of each task."""

from collections.abc import Iterable
from operator import itemgetter
from typing import Any

import pandas as pd

from history.runfile import RunSummary
from pipeline.report.pushes import COMMIT, Runs
from pipeline.report.templates import day
from pipeline.schema import Task

MEASURED = "holdout_"
FIRST_COLUMNS = ["task", "algorithm", "metric", "cv_mean", "cv_std"]
LAST_COLUMNS = ["run_id", "date", "commit"]

Row = dict[str, Any]


def to_csv(tasks: list[Task], runs: Runs) -> str:
    """Return the comparison of all algorithms in the history, as CSV."""
    rows: list[Row] = []
    for task in tasks:
        rows += _best(task, runs)
    metrics: set[str] = set()
    for row in rows:
        metrics |= _holdout_metrics(row)
    columns = FIRST_COLUMNS + sorted(metrics) + LAST_COLUMNS
    table = pd.DataFrame(rows, columns=columns)
    text = table.to_csv(index=False, lineterminator="\n", float_format="%.6g")
    return str(text)


def _holdout_metrics(names: Iterable[str]) -> set[str]:
    """Return the names of metrics that were measured on the hold-out."""
    return {name for name in names if name.startswith(MEASURED)}


def _best(task: Task, runs: Runs) -> list[Row]:
    """Return each algorithm's best run in cross-validation, best algorithm first.

    Of runs that are equally good it is the oldest.
    """
    metric = f"cv_{task.metric.name}_mean"
    evaluated: list[tuple[float, RunSummary]] = []
    for run in runs.of(task.name):
        mean = run.latest(metric)
        is_candidate = "algorithm" in run.params
        if is_candidate and mean is not None:
            evaluated.append((mean, run))
    highest_first = task.metric.higher_is_better
    evaluated.sort(key=itemgetter(0), reverse=highest_first)
    best: dict[str, RunSummary] = {}
    for _, run in evaluated:
        best.setdefault(run.params["algorithm"], run)
    return [_row(task, run) for run in best.values()]


def _row(task: Task, run: RunSummary) -> Row:
    metric = task.metric.name
    row: Row = {
        "task": task.name,
        "algorithm": run.params["algorithm"],
        "metric": metric,
        "cv_mean": run.latest(f"cv_{metric}_mean"),
        "cv_std": run.latest(f"cv_{metric}_std"),
        "run_id": run.run_id,
        "date": day(run.started),
        "commit": run.tags.get(COMMIT, ""),
    }
    for name in _holdout_metrics(run.metrics):
        row[name] = run.latest(name)
    return row
