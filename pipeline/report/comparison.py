"""`results/model_comparison.csv`: the best run of each algorithm of each task."""

import csv
import io

from pipeline.history.runfile import Run
from pipeline.report.pushes import COMMIT, History, day
from pipeline.schema import Task


def render(tasks: list[Task], history: History) -> str:
    """Return the table as CSV; best is by the mean of the task's metric in cross-validation."""
    chosen = [(task, run) for task in tasks for run in _best(task, history)]
    others = sorted({m for _, run in chosen for m in run.metrics if m.startswith("holdout_")})
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    measured = ("metric", "cv_mean", "cv_std", *others)
    writer.writerow(("task", "algorithm", *measured, "run_id", "date", "commit"))
    for task, run in chosen:
        name = task.metric.name
        values = [run.latest(key) for key in (f"cv_{name}_mean", f"cv_{name}_std", *others)]
        row = [task.name, run.params["algorithm"], name]
        row += ["" if value is None else f"{value:.6g}" for value in values]
        writer.writerow([*row, run.run_id, day(run.started), run.tags.get(COMMIT, "")])
    return stream.getvalue()


def _best(task: Task, history: History) -> list[Run]:
    """Return each algorithm's best run, the best algorithm first; of equals the oldest."""
    found: dict[str, tuple[float, Run]] = {}
    for run in history.of(task.name):
        algorithm = run.params.get("algorithm")
        value = run.latest(f"cv_{task.metric.name}_mean")
        if algorithm and value is not None and run.status == "FINISHED":
            if algorithm not in found or task.metric.better(value, found[algorithm][0]):
                found[algorithm] = (value, run)
    ranked = sorted(found.values(), key=lambda pair: pair[0], reverse=task.metric.higher_is_better)
    return [run for _, run in ranked]
