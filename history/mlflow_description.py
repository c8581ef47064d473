"""Describes MLflow's entities as the content of a `run.json`; nothing is read here."""

import math
from collections.abc import Iterable
from typing import Any

from history import mlflow_rows, runfile
from history.runfile import Point


def run(
    entity: Any,
    experiment: str,
    metrics: dict[str, list[Point]],
) -> dict[str, Any]:
    """Return the content of a `run.json`, without models and files."""
    info = entity.info
    tags = dict(entity.data.tags)
    parent = tags.pop(mlflow_rows.PARENT_TAG, None)
    return {
        "format": runfile.FORMAT,
        "run_id": info.run_id,
        "name": info.run_name,
        "experiment": experiment,
        "parent": parent,
        "status": info.status,
        "lifecycle_stage": info.lifecycle_stage,
        "started": info.start_time,
        "ended": info.end_time,
        "user": info.user_id or "",
        "params": entity.data.params,
        "metrics": metrics,
        "tags": tags,
        "datasets": _datasets(entity),
    }


def _datasets(entity: Any) -> list[dict[str, Any]]:
    datasets = []
    for dataset_input in entity.inputs.dataset_inputs:
        content = dataset_input.to_dictionary()
        dataset = content["dataset"]
        dataset["tags"] = content["tags"]
        datasets.append(dataset)

    def name_and_digest(dataset: dict[str, Any]) -> tuple[str, str]:
        return dataset["name"], dataset["digest"]

    return sorted(datasets, key=name_and_digest)


def points(
    history: Iterable[Any],
    started: int,
    latest: float,
) -> list[Point]:
    """Return a metric's points by time, step and value.

    MLflow treats 0 and not-a-number as equal: of two such points, the one that it shows
    as the latest comes first.
    """

    def order(point: Point) -> tuple[float, ...]:
        value, time, step = point
        is_nan = math.isnan(value)
        differs = is_nan != math.isnan(latest)
        number = 0.0 if is_nan else value
        return time, step, number, differs

    points_of_metric = []
    for metric in history:
        time = metric.timestamp - started
        points_of_metric.append((metric.value, time, metric.step))
    return sorted(points_of_metric, key=order)


def model_id(content: dict[str, Any]) -> str:
    """Return the ID of the model that a content describes or links to."""
    return str(content["model_id"])


def model(entity: Any) -> dict[str, Any]:
    """Return the content of a logged model, without its files."""
    metrics = []
    for metric in entity.metrics or []:
        fields = {
            name: getattr(metric, name) for name in runfile.ModelMetric.model_fields
        }
        metrics.append(fields)

    def order(metric: dict[str, Any]) -> list[str]:
        names = ("key", "timestamp", "step", "run_id")
        return [str(metric[name]) for name in names]

    return {
        "model_id": entity.model_id,
        "name": entity.name,
        "type": entity.model_type,
        "status": str(entity.status),
        "status_message": entity.status_message,
        "created": entity.creation_timestamp,
        "updated": entity.last_updated_timestamp,
        "params": entity.params or {},
        "tags": entity.tags or {},
        "metrics": sorted(metrics, key=order),
    }
