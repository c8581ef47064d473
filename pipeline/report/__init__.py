"""The history as tables and pictures that are readable without a server."""

from pathlib import Path
from typing import Any

import pandas as pd

from core.files import write_atomic
from history import registry
from pipeline import tasks
from pipeline.repo import Repo
from pipeline.report import chart
from pipeline.report.pushes import COMMIT, History, events
from pipeline.report.templates import day, render
from pipeline.schema import Task

SHOWN = 20
BEFORE = ("task", "algorithm", "metric", "cv_mean", "cv_std")
AFTER = ("run_id", "date", "commit")


def write(repo: Repo) -> list[Path]:
    """Write the comparison, each task's picture and the leaderboard from the history's
    files.

    The same history gives the same bytes.
    """
    history = History.read(repo.mlruns)
    known = [tasks.load(name) for name in tasks.names() if history.of(name)]
    files = {repo.results / "model_comparison.csv": _comparison(known, history)}
    told = []
    for task in known:
        versions = registry.versions(repo.mlruns, task.name)
        pushes = events(task, history, versions)
        files[repo.results / f"{task.name}.svg"] = chart.draw(task, pushes)
        told.append((task, versions, pushes))
    page = render("leaderboard.md", known=told, history=history, shown=SHOWN)
    files[repo.mlruns / "README.md"] = page
    for path, content in files.items():
        write_atomic(path, content)
    return list(files)


def _comparison(known: list[Task], history: History) -> str:
    """Return `model_comparison.csv`: the best run of each algorithm of each task."""
    rows = [row for task in known for row in _best(task, history)]
    measured = sorted(
        {name for row in rows for name in row if name.startswith("holdout_")}
    )
    table = pd.DataFrame(rows, columns=[*BEFORE, *measured, *AFTER])
    return str(table.to_csv(index=False, lineterminator="\n", float_format="%.6g"))


def _best(task: Task, history: History) -> list[dict[str, Any]]:
    """Return each algorithm's best run in cross-validation, best first; of equals the
    oldest.
    """
    metric = task.metric.name
    rows: list[dict[str, Any]] = [
        {
            "task": task.name,
            "algorithm": run.params["algorithm"],
            "metric": metric,
            "cv_mean": run.latest(f"cv_{metric}_mean"),
            "cv_std": run.latest(f"cv_{metric}_std"),
            "run_id": run.run_id,
            "date": day(run.started),
            "commit": run.tags.get(COMMIT, ""),
            **{
                name: run.latest(name)
                for name in run.metrics
                if name.startswith("holdout_")
            },
        }
        for run in history.of(task.name)
        if "algorithm" in run.params and f"cv_{metric}_mean" in run.metrics
    ]
    rows.sort(key=lambda row: row["cv_mean"], reverse=task.metric.higher_is_better)
    algorithms = dict.fromkeys(row["algorithm"] for row in rows)
    return [
        next(row for row in rows if row["algorithm"] == name) for name in algorithms
    ]
