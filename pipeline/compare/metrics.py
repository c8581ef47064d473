"""Compares the metrics of two recorded runs, with their intervals."""

from dataclasses import replace

from core.file_names import MANIFEST
from core.manifest import TrainedManifest
from core.manifest_metrics import MetricValue
from history.runfile import FOLD
from pipeline.compare.comparison import Measured, MetricEntry
from pipeline.recorded_run import RecordedRun
from pipeline.train.evaluate import METRICS, higher_is_better

HOLDOUT = "holdout_"
CROSS_VALIDATION = "cv_"
MEAN = "_mean"


def compare(a: RecordedRun, b: RecordedRun) -> list[MetricEntry]:
    """Return the metrics of two runs, those on the hold-out first."""
    first = _measured(a)
    second = _measured(b)
    names = first.keys() | second.keys()
    entries = []
    for name in sorted(names, key=_order):
        one = first.get(name)
        other = second.get(name)
        change = None
        if one and other:
            change = other.value - one.value
        better = better_side(name, change)
        entry = MetricEntry(name, one, other, change, better)
        entries.append(entry)
    return entries


def _order(name: str) -> tuple[int, str]:
    """Return the key that sorts the hold-out's metrics first, then the folds'."""
    if name.startswith(HOLDOUT):
        return 0, name
    if name.startswith(CROSS_VALIDATION):
        return 1, name
    return 2, name


def _measured(recorded: RecordedRun) -> dict[str, Measured]:
    """Return the metrics of a run by name, with the intervals that its manifest has."""
    intervals = _intervals(recorded)
    metrics = {}
    for name in recorded.run.metrics:
        value = recorded.run.latest(name)
        if value is None or name.startswith(FOLD):
            continue
        metric = Measured(value)
        interval = intervals.get(name)
        if interval:
            metric = replace(metric, low=interval.low, high=interval.high)
        metrics[name] = metric
    return metrics


def _intervals(recorded: RecordedRun) -> dict[str, MetricValue]:
    folder = recorded.model_folder
    if folder is None or not (folder / MANIFEST).is_file():
        return {}
    manifest = TrainedManifest.read(folder / MANIFEST)
    intervals = {}
    for name, value in manifest.holdout.metrics.items():
        intervals[HOLDOUT + name] = value
    return intervals


def better_side(name: str, change: float | None) -> str:
    """Return the side with the better metric, `a` or `b`.

    It is empty if the two are equal, or if it is not known whether more is better.

    Args:
        name: the name of the metric in the run.
        change: its value in B less its value in A; None if a side does not have it.
    """
    metric = _judged(name)
    is_judged = any(metric in names for names in METRICS.values())
    if not change or not is_judged:
        return ""
    is_more = change > 0
    if is_more == higher_is_better(metric):
        return "b"
    return "a"


def _judged(name: str) -> str:
    """Return the metric that a run's metric is a value of, such as `rmse`."""
    if name.startswith(HOLDOUT):
        return name.removeprefix(HOLDOUT)
    if name.startswith(CROSS_VALIDATION) and name.endswith(MEAN):
        return name.removeprefix(CROSS_VALIDATION).removesuffix(MEAN)
    return ""
