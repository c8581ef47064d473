"""A run as its page shows it."""

from functools import cache
from typing import Any

from pydantic import TypeAdapter, ValidationError

from history import Artifact, Check, Run
from history.runfile import Point
from pipeline.report.earlier_reasons import reword
from pipeline.site.dataset_content import Datasets
from pipeline.site.scripts import Pairs, number, pairs

REASON = "gate.reason"
CHECKS = "gate.checks"
MOST_POINTS = 1000  # of a metric; a chart is hardly wider
DIGEST_START = 16  # characters; they identify a file


def describe(
    run: Run, parent: str | None, versions: list[str], datasets: Datasets
) -> dict[str, Any]:
    """Return what the page of a run shows.

    Args:
        parent: the place of its parent, if that is in the history.
        versions: what it was promoted to, such as `housing v3`.
        datasets: those of its day, to which its own are added.
    """
    checks = _checks(run)
    tags = dict(run.tags)
    reason = reword(tags.pop(REASON, ""))
    if checks:
        del tags[CHECKS]
    places = []
    for dataset in run.datasets:
        place = datasets.place(dataset)
        places.append(place)
    return {
        "id": run.run_id,
        "name": run.name,
        "status": run.status,
        "deleted": run.lifecycle_stage == "deleted",
        "started": run.started,
        "ended": run.ended,
        "user": run.user,
        "parent": parent,
        "versions": versions,
        "reason": reason,
        "checks": checks,
        "params": pairs(run.params),
        "metrics": _metrics(run),
        "tags": pairs(tags),
        "datasets": places,
        "files": _files(run),
    }


def _checks(run: Run) -> list[dict[str, Any]]:
    """Return the gate's checks of a push; none if its tag cannot be read."""
    text = run.tags.get(CHECKS)
    if text is None:
        return []
    try:
        checks = _list_of_checks().validate_json(text)
    except ValidationError:
        return []
    return [check.model_dump() for check in checks]


@cache
def _list_of_checks() -> TypeAdapter[list[Check]]:
    return TypeAdapter(list[Check])


def _metrics(run: Run) -> Pairs:
    """Return the name and the points of each metric, by step."""
    metrics = []
    for name in sorted(run.metrics):
        points = sorted(run.metrics[name], key=_step_and_time)
        content = []
        for value, time, step in _thinned(points):
            point = [number(value), time, step]
            content.append(point)
        metrics.append([name, content])
    return metrics


def _step_and_time(point: Point) -> tuple[int, int, float]:
    """Order points as `Run.latest` does: the last one is the latest."""
    value, time, step = point
    return step, time, value


def _thinned(points: list[Point]) -> list[Point]:
    """Return at most `MOST_POINTS`, at even distances, the last one among them."""
    if len(points) <= MOST_POINTS:
        return points
    last = len(points) - 1
    kept = []
    for index in range(MOST_POINTS):
        share = index / (MOST_POINTS - 1)
        place = round(share * last)
        kept.append(points[place])
    return kept


def _files(run: Run) -> list[list[Any]]:
    """Return the files of a run and of its models: path, size, start of the SHA-256."""
    files = []
    for artifact in run.artifacts:
        files.append(_file(artifact, artifact.path))
    for model in run.models:
        for artifact in model.artifacts:
            files.append(_file(artifact, f"{model.name}/{artifact.path}"))
    return files


def _file(artifact: Artifact, path: str) -> list[Any]:
    return [path, artifact.size, artifact.sha256[:DIGEST_START]]
