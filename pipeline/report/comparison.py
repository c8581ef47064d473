"""`results/model_comparison.csv`: the best run of each algorithm of each task."""

import csv
import io

from pipeline.history.runfile import Run
from pipeline.report.pushes import COMMIT, History, day
from pipeline.schema import Task

HEAD = ("task", "algorithm", "metric", "cv_mean", "cv_std", "holdout")
TAIL = ("run_id", "date", "commit")


def render(tasks: list[Task], history: History) -> str:
    """Return the table as CSV; best is by the mean of the task's metric in cross-validation."""
    chosen = [(task, run) for task in tasks for run in _best(task, history)]
    others = sorted({name for _, run in chosen for name in run.metrics if _is_holdout(name)})
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow((*HEAD, *others, *TAIL))
    for task, run in chosen:
        name = task.metric.name
        judged = [f"cv_{name}_mean", f"cv_{name}_std", f"holdout_{name}"]
        writer.writerow(
            [task.name, run.params["algorithm"], name]
            + [_number(run, metric) for metric in (*judged, *others)]
            + [run.run_id, day(run.started), run.tags.get(COMMIT, "")]
        )
    return stream.getvalue()


def _best(task: Task, history: History) -> list[Run]:
    """Return each algorithm's best run, the best algorithm first; of equals the oldest."""
    metric, best = f"cv_{task.metric.name}_mean", dict[str, Run]()
    sign = -1 if task.metric.higher_is_better else 1
    for run in history.of(task.name):
        algorithm, value = run.params.get("algorithm"), run.latest(metric)
        if not algorithm or value is None or run.status != "FINISHED":
            continue
        known = best.get(algorithm)
        if known is None or sign * value < sign * (known.latest(metric) or 0.0):
            best[algorithm] = run
    return sorted(best.values(), key=lambda run: sign * (run.latest(metric) or 0.0))


def _is_holdout(metric: str) -> bool:
    return metric.startswith("holdout_")


def _number(run: Run, metric: str) -> str:
    value = run.latest(metric)
    return "" if value is None else f"{value:.6g}"
