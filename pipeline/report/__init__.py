"""The history as tables and pictures that are readable without a server."""

from pathlib import Path

import pandas as pd

from pipeline import tasks
from pipeline.files import write_atomic
from pipeline.history import registry
from pipeline.history.runfile import Run
from pipeline.repo import Repo
from pipeline.report import chart
from pipeline.report.pages import day, render
from pipeline.report.pushes import COMMIT, History, events
from pipeline.schema import Task

SHOWN = 20


def write(repo: Repo) -> list[Path]:
    """Write the comparison, each task's picture and the leaderboard from the history's files.

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
    rows = [_row(task, run) for task in known for run in _best(task, history)]
    measured = sorted({name for row in rows for name in row if name.startswith("holdout_")})
    before, after = ["task", "algorithm", "metric", "cv_mean", "cv_std"], [
        "run_id",
        "date",
        "commit",
    ]
    table = pd.DataFrame(rows, columns=[*before, *measured, *after])
    return str(table.to_csv(index=False, lineterminator="\n", float_format="%.6g"))


def _row(task: Task, run: Run) -> dict[str, str | float | None]:
    cross_validation = f"cv_{task.metric.name}"
    return {
        "task": task.name,
        "algorithm": run.params["algorithm"],
        "metric": task.metric.name,
        "cv_mean": run.latest(f"{cross_validation}_mean"),
        "cv_std": run.latest(f"{cross_validation}_std"),
        "run_id": run.run_id,
        "date": day(run.started),
        "commit": run.tags.get(COMMIT, ""),
        **{name: run.latest(name) for name in run.metrics if name.startswith("holdout_")},
    }


def _best(task: Task, history: History) -> list[Run]:
    """Return each algorithm's best run in cross-validation, best first; of equals the oldest."""
    metric = f"cv_{task.metric.name}_mean"
    judged = [
        run
        for run in history.of(task.name)
        if run.status == "FINISHED" and "algorithm" in run.params and metric in run.metrics
    ]
    sign = -1 if task.metric.higher_is_better else 1
    judged.sort(key=lambda run: sign * (run.latest(metric) or 0.0))
    best: dict[str, Run] = {}
    for run in judged:
        best.setdefault(run.params["algorithm"], run)
    return list(best.values())
