"""`results/model_comparison.csv`: the best run of each algorithm of each task."""

from collections.abc import Iterable
from typing import Any

import pandas as pd

from history.runfile import RunSummary
from pipeline.report.day_summaries import COMMIT, MEASURED, best_by_algorithm
from pipeline.report.pushes import Runs
from pipeline.report.templates import day
from pipeline.schema import Task

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
    """Return a row for each algorithm, the best one first."""
    best = best_by_algorithm(task, runs.of(task.name))
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
