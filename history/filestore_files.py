"""The files of MLflow's file store: YAML for each entity, a text file for each value."""

import hashlib
import math
import posixpath
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from core.errors import PipelineError
from history import names
from history.mlflow_rows import stored
from history.runfile import ModelMetric, Point, Run

# A tenth of the time where libyaml is there.
DUMPER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
# What MLflow allows in the name of a param, metric or tag.
KEY = re.compile(r"[/\w.\- :]+")
META = "meta.yaml"
SINGULAR = {
    "params": "param",
    "metrics": "metric",
    "tags": "tag",
    "aliases": "alias",
}
Json = dict[str, Any]


class UnwritableError(PipelineError):
    """A file store cannot hold a run; the text continues "the run X"."""


def write_meta(folder: Path, content: Json) -> None:
    """Write the fields of an entity to a new folder."""
    folder.mkdir(parents=True)
    text = yaml.dump(content, Dumper=DUMPER, allow_unicode=True)
    (folder / META).write_bytes(text.encode())


def write_values(
    folder: Path,
    part: str,
    values: Mapping[str, str],
) -> None:
    """Write values to files with their names, below the folder of a part.

    Args:
        part: `params`, `metrics`, `tags` or `aliases`.

    Raises:
        UnwritableError: a file cannot have a name, or two would be one file.
    """
    kind = SINGULAR[part]
    for key, text in values.items():
        reason = _fault_of(key)
        if reason:
            raise UnwritableError(f"has the {kind} {key!r}, {reason}")
        try:
            _write_value(folder / part / key, text)
        except (FileExistsError, NotADirectoryError) as error:
            raise UnwritableError(
                f"has the {kind} {key!r} beside another whose file would be the same"
            ) from error


def _write_value(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("xb") as stream:
        stream.write(text.encode())


def _fault_of(key: str) -> str | None:
    """Return why MLflow would refuse a name, or why no file can have it; else None."""
    normal = posixpath.normpath(key)
    leaves_folder = normal.startswith(("..", "/")) or normal == "."
    if leaves_folder or normal != key or not KEY.fullmatch(key):
        return "which MLflow does not allow"
    sizes = [len(part.encode()) for part in key.split("/")]
    if max(sizes) > names.LONGEST_PART:
        return "which is too long for the name of a file"
    if sys.platform == "win32":
        return names.fault_of(key)
    return None


def mlflow_id(*texts: str) -> str:
    """Return the ID that MLflow derives from texts."""
    content = "".join(texts)
    digest = hashlib.md5(content.encode(), usedforsecurity=False)
    return digest.hexdigest()


def metric_lines(run: Run, points: list[Point]) -> str:
    """Return the file of a metric's values.

    Of points with one step and time, MLflow takes the first if one of them is NaN.
    """
    if any(math.isnan(value) for value, _, _ in points):
        latest = max(points, key=_order)
        others = [point for point in points if point is not latest]
        points = [latest, *others]
    lines = []
    for value, time, step in points:
        timestamp = run.started + time
        lines.append(f"{timestamp} {value!r} {step}\n")
    return "".join(lines)


def _order(point: Point) -> tuple[int, int, float]:
    value, time, step = point
    return step, time, stored(value)


def model_metric_line(metric: ModelMetric) -> str:
    """Return the line of a model's metric.

    Raises:
        UnwritableError: a line cannot hold it.
    """
    fields = [
        metric.timestamp,
        repr(metric.value),
        metric.step,
        metric.run_id,
    ]
    if metric.dataset_name is not None and metric.dataset_digest is not None:
        fields += [metric.dataset_name, metric.dataset_digest]
    line = " ".join(map(str, fields))
    has_spaces = len(line.split()) != len(fields)
    if metric.run_id is None or has_spaces:
        raise UnwritableError(
            f"has a model with the metric {metric.key!r} that belongs to no run, or to"
            " a data set whose name has a space"
        )
    return f"{line}\n"
