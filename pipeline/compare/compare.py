"""Puts two recorded runs of one task side by side."""

import json
from collections.abc import Mapping
from pathlib import Path

from core.errors import UsageError
from history import History, layout
from history.runfile import Run
from pipeline.compare import metrics, predictions
from pipeline.compare.comparison import (
    Comparison,
    Entry,
    Plot,
    Predictions,
    Side,
)
from pipeline.compare.predictions import NotComparable
from pipeline.recorded_run import ALGORITHM, DATA_TAG, RecordedRun
from pipeline.repo import Repo
from pipeline.run_finder import RunFinder

DATA_TAGS = {"digest": DATA_TAG, "origin": "data.origin"}
# How tags begin that say with what a run was made.
MADE_WITH = ("digest.", "version.", "machine")
# The settings of a training that its candidates share.
SETTINGS = ("seed", "folds", "holdout_share", "exclude")


def compare(repo: Repo, history: History, a: str, b: str) -> list[Comparison]:
    """Compare what two names mean: two runs, or those of each task of two commits.

    Args:
        a: a run ID, `TASK`, `TASK@VERSION` or a commit.
        b: the same.

    Raises:
        UsageError: a name means nothing, or the two are of different tasks.
        PipelineError: a file of the history is damaged.
    """
    finder = RunFinder(repo, history)
    first = finder.by_task(a)
    second = finder.by_task(b)
    shared = sorted(first.keys() & second.keys())
    if not shared:
        one = ", ".join(sorted(first))
        other = ", ".join(sorted(second))
        raise UsageError(
            f"{a} is of the task {one} and {b} of {other}: compare two of the same task."
        )
    comparisons = []
    for task in shared:
        comparison = compare_runs(repo, first[task], second[task])
        comparisons.append(comparison)
    return comparisons


def compare_runs(repo: Repo, a: RecordedRun, b: RecordedRun) -> Comparison:
    """Compare two recorded runs of a task."""
    compared: Predictions | None = None
    reason = ""
    try:
        compared = predictions.compare(repo, a, b)
    except NotComparable as error:
        reason = str(error)
    return Comparison(
        task=a.task,
        a=_side(a),
        b=_side(b),
        parameters=_entries(_parameters(a), _parameters(b)),
        data=_entries(_data(a), _data(b)),
        made_with=_entries(_made_with(a), _made_with(b)),
        metrics=metrics.compare(a, b),
        predictions=compared,
        no_predictions=reason,
        plots=_plots(a, b),
    )


def _side(recorded: RecordedRun) -> Side:
    run = recorded.run
    started = layout.time(run.started)
    return Side(
        title=recorded.title,
        run_id=run.run_id,
        algorithm=run.params.get(ALGORITHM, run.name),
        commit=recorded.commit,
        day=f"{started:%Y-%m-%d}",
    )


def _entries(a: Mapping[str, str], b: Mapping[str, str]) -> list[Entry]:
    """Return the values of both sides, in the order of their names in A, then in B."""
    names = list(a)
    for name in b:
        if name not in a:
            names.append(name)
    entries = []
    for name in names:
        entry = Entry(name, a.get(name), b.get(name))
        entries.append(entry)
    return entries


def _parameters(recorded: RecordedRun) -> dict[str, str]:
    parameters = dict(recorded.run.params)
    training = recorded.training
    if training is None:
        return parameters
    for name in SETTINGS:
        if name in training.params:
            parameters[name] = training.params[name]
    return parameters


def _data(recorded: RecordedRun) -> dict[str, str]:
    data = {}
    rows = _rows(recorded.run)
    if rows is not None:
        data["rows"] = f"{rows:,}"
    # MLflow's own digest is only the beginning of ours.
    for dataset in recorded.run.datasets:
        data["digest"] = dataset.digest
    tags = _training_tags(recorded)
    for name, tag in DATA_TAGS.items():
        if tag in tags:
            data[name] = tags[tag]
    return data


def _training_tags(recorded: RecordedRun) -> dict[str, str]:
    if recorded.training is None:
        return {}
    return recorded.training.tags


def _rows(run: Run) -> int | None:
    """Return how many rows the run's table has, if MLflow's description has it."""
    for dataset in run.datasets:
        profile = json.loads(dataset.profile or "{}")
        if "num_rows" in profile:
            return int(profile["num_rows"])
    return None


def _made_with(recorded: RecordedRun) -> dict[str, str]:
    """Return the commit, and the tags with a digest or version of what was used."""
    values = {}
    if recorded.commit:
        values["commit"] = recorded.commit
    for name, value in sorted(_training_tags(recorded).items()):
        is_about_code = name.startswith(MADE_WITH)
        if is_about_code and name != DATA_TAG:
            values[name] = value
    return values


def _plots(a: RecordedRun, b: RecordedRun) -> list[Plot]:
    first = _pictures(a.folder)
    second = _pictures(b.folder)
    names = first.keys() | second.keys()
    plots = []
    for name in sorted(names):
        plot = Plot(name, first.get(name), second.get(name))
        plots.append(plot)
    return plots


def _pictures(folder: Path) -> dict[str, bytes]:
    pictures = {}
    artifacts = folder / layout.ARTIFACTS
    for path in artifacts.glob("*.png"):
        pictures[path.name] = path.read_bytes()
    return pictures
