"""What the reports show of each day's runs, kept in files so that they are read once.

The file of a day is `results/summaries/<experiment>/<day>.json`. It holds for as long
as the day has the same runs, because runs are never edited; otherwise the runs are read
again. With it, a publish reads the summaries of the days, and not every run.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from itertools import chain, islice
from operator import itemgetter
from pathlib import Path
from typing import Literal

from core.errors import PipelineError
from core.files import write_atomic
from history import History, layout, runfile
from history.record import ModelId, Record, RunId
from history.runfile import RunSummary
from pipeline import tasks
from pipeline.repo import Repo
from pipeline.schema import Task

COMMIT = "mlflow.source.git.commit"
MEASURED = "holdout_"  # starts the name of a metric that was measured on the hold-out
GATE = "gate"
# Of a challenger that was compared with a champion on the hold-out: the champion's
# version, and the SHA-256 of the challenger's ONNX file.
CHAMPION = "gate.champion"
CHALLENGER = "gate.challenger"
_TAGS = (COMMIT, GATE, "gate.reason", CHAMPION, CHALLENGER)
_PARAMETERS = ("algorithm", "challenger")


class DaySummary(Record):
    """The runs of an experiment's day.

    Attributes:
        metric: what the best runs were chosen by; empty if no task has the experiment.
        models: the IDs of the models that each run lists, by run ID.
        shown: the pushes, and the best run of each algorithm, with what is shown of
            them; oldest first.
    """

    format: Literal[1]
    metric: str
    models: dict[RunId, list[ModelId]]
    shown: list[RunSummary]


Days = Mapping[str, DaySummary]


def folder(repo: Repo) -> Path:
    """Return the folder of the summaries."""
    return repo.results / "summaries"


def read(
    history: History,
    kept: Path | None = None,
    is_chosen: Callable[[Path], bool] = lambda day: True,
) -> dict[str, DaySummary]:
    """Return the summary of each day, by the day's folder below the history.

    Args:
        kept: the folder of the summaries, of which those that hold are not made anew.
        is_chosen: whether the day of a folder is read.

    Raises:
        PipelineError: a run is damaged.
    """
    days = _run_ids_by_day(history, is_chosen)
    summaries: dict[str, DaySummary] = {}
    if kept:
        summaries = _kept(kept, days)
    missing = {}
    for day, run_ids in days.items():
        if day not in summaries:
            missing[day] = run_ids
    run_ids_of_missing = chain.from_iterable(missing.values())
    runs = history.summaries(run_ids_of_missing)
    for day, run_ids in missing.items():
        runs_of_day = list(islice(runs, len(run_ids)))
        task = _task_of(day)
        summaries[day] = _summarize(task, runs_of_day)
    return {day: summaries[day] for day in days}


def _kept(folder: Path, days: Mapping[str, list[str]]) -> dict[str, DaySummary]:
    """Return the summaries of a folder that hold."""
    summaries = {}
    for day, run_ids in days.items():
        summary = _read_kept(folder / f"{day}.json")
        if summary is None:
            continue
        task = _task_of(day)
        if summary.metric != _metric(task):
            continue
        if summary.models.keys() == set(run_ids):
            summaries[day] = summary
    return summaries


def write(days: Days, target: Path) -> None:
    """Write the file of each day that does not have it yet, and delete all others.

    A day has no runs any more once these were archived or pruned.
    """
    for path in target.glob("*/*.json"):
        relative = path.relative_to(target)
        day = relative.with_suffix("").as_posix()
        if day not in days:
            path.unlink()
    for day, summary in days.items():
        path = target / f"{day}.json"
        content = runfile.dump(summary).encode()
        if path.is_file() and path.read_bytes() == content:
            continue
        write_atomic(path, content)


def models_by_run(days: Days) -> dict[str, list[str]]:
    """Return the IDs of the models that each run lists, by run ID."""
    models = {}
    for summary in days.values():
        models.update(summary.models)
    return models


def best_by_algorithm(task: Task, runs: Iterable[RunSummary]) -> dict[str, RunSummary]:
    """Return each algorithm's best run in cross-validation, the best algorithm first.

    Of runs that are equally good it is the oldest.
    """
    metric = f"cv_{task.metric.name}_mean"
    evaluated: list[tuple[float, RunSummary]] = []
    for run in sorted(runs, key=_oldest_first):
        mean = run.latest(metric)
        if mean is None or math.isnan(mean):
            continue
        if "algorithm" in run.params:
            evaluated.append((mean, run))
    highest_first = task.metric.higher_is_better
    evaluated.sort(key=itemgetter(0), reverse=highest_first)
    best: dict[str, RunSummary] = {}
    for _, run in evaluated:
        algorithm = run.params["algorithm"]
        best.setdefault(algorithm, run)
    return best


def is_push(run: RunSummary) -> bool:
    """Return whether a run is a task's parent run of a push."""
    return GATE in run.tags and not run.parent


def _run_ids_by_day(
    history: History, is_chosen: Callable[[Path], bool]
) -> dict[str, list[str]]:
    """Return the run IDs of each chosen day's folder, such as `housing/2026-11-18`."""
    folders: dict[Path, list[str]] = {}
    for run_id, path in history.folders.items():
        runs_of_day = folders.setdefault(path.parent, [])
        runs_of_day.append(run_id)
    days: dict[str, list[str]] = {}
    for folder, run_ids in folders.items():
        if is_chosen(folder):
            experiment_and_day = folder.parts[-2:]
            day = "/".join(experiment_and_day)
            days[day] = run_ids
    return days


def _task_of(day: str) -> Task | None:
    experiment, _, _ = day.partition("/")
    for name in tasks.names():
        if layout.is_experiment_folder(experiment, name):
            return tasks.load(name)
    return None


def _metric(task: Task | None) -> str:
    if task is None:
        return ""
    better = "lower"
    if task.metric.higher_is_better:
        better = "higher"
    return f"{task.metric.name}, {better} is better"


def _read_kept(path: Path) -> DaySummary | None:
    """Return the summary in a file, or None if there is none that can be read."""
    if path.is_file():
        with suppress(PipelineError):
            return runfile.read(path, DaySummary)
    return None


def _summarize(task: Task | None, runs: list[RunSummary]) -> DaySummary:
    models = {}
    for run in runs:
        models[run.run_id] = [model.model_id for model in run.models]
    shown = []
    if task:
        best = best_by_algorithm(task, runs)
        chosen = [run for run in runs if is_push(run)]
        chosen += best.values()
        for run in sorted(chosen, key=_oldest_first):
            shown.append(_reduced(task, run))
    metric = _metric(task)
    return DaySummary(format=1, metric=metric, models=models, shown=shown)


def _reduced(task: Task, run: RunSummary) -> RunSummary:
    """Return a run with what reports show of it."""
    metrics = {}
    for name in _shown_metrics(task, run):
        value = run.latest(name)
        if value is not None:
            metrics[name] = [(value, 0, 0)]
    update = {
        "params": _chosen(run.params, _PARAMETERS),
        "metrics": metrics,
        "tags": _chosen(run.tags, _TAGS),
        "models": [],
    }
    return run.model_copy(update=update)


def _chosen(values: Mapping[str, str], names: Iterable[str]) -> dict[str, str]:
    """Return those of some values that are there, in the order of the names."""
    chosen = {}
    for name in names:
        if name in values:
            chosen[name] = values[name]
    return chosen


def _shown_metrics(task: Task, run: RunSummary) -> Iterator[str]:
    start = f"cv_{task.metric.name}"
    of_cross_validation = (f"{start}_mean", f"{start}_std")
    for name in run.metrics:
        if name in of_cross_validation or name.startswith(MEASURED):
            yield name


def _oldest_first(run: RunSummary) -> tuple[int, str]:
    return run.started, run.run_id
