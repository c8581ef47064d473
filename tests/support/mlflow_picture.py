"""The content of a store as MLflow's client shows it, to compare stores with each other."""

import math
from typing import Any

from mlflow import MlflowClient
from mlflow.entities import Run as Entity

from tests.support.json_content import Json


def picture(client: MlflowClient) -> Json:
    """Return all that MLflow's client shows, without the parts that differ between stores."""
    return {
        experiment.name: {
            entity.info.run_id: _picture_of_run(
                client, client.get_run(entity.info.run_id)
            )
            for entity in client.search_runs(
                [experiment.experiment_id], max_results=1000
            )
        }
        for experiment in client.search_experiments()
        if client.search_runs([experiment.experiment_id], max_results=1)
    }


def _picture_of_run(client: MlflowClient, run: Entity) -> Json:
    info = dict(run.info)
    for place in ("experiment_id", "artifact_uri"):
        info.pop(place)
    experiment = run.info.experiment_id
    condition = f"source_run_id = '{run.info.run_id}'"
    return {
        "info": info,
        "params": run.data.params,
        "tags": run.data.tags,
        "metrics": {key: _number(value) for key, value in run.data.metrics.items()},
        "history": {
            key: sorted(
                map(_point, client.get_metric_history(run.info.run_id, key)), key=str
            )
            for key in run.data.metrics
        },
        "datasets": sorted(
            (dataset.to_dictionary() for dataset in run.inputs.dataset_inputs), key=str
        ),
        "model_inputs": sorted(used.model_id for used in run.inputs.model_inputs),
        "model_outputs": sorted(
            (put.model_id, put.step) for put in run.outputs.model_outputs
        ),
        "models": {
            model.model_id: _picture_of_model(client.get_logged_model(model.model_id))
            for model in client.search_logged_models(
                [experiment], filter_string=condition
            )
        },
    }


def _picture_of_model(model: Any) -> Json:
    content = dict(model.to_dictionary())
    for place in ("experiment_id", "artifact_location"):
        content.pop(place)
    return {
        **content,
        "metrics": sorted(str(_point(metric)) for metric in model.metrics or []),
    }


def _point(metric: Any) -> tuple[Any, ...]:
    value = _number(metric.value)
    names = (
        "key",
        "timestamp",
        "step",
        "run_id",
        "model_id",
        "dataset_name",
        "dataset_digest",
    )
    return (value, *(getattr(metric, name) for name in names))


def _number(value: float) -> float | str:
    return "NaN" if math.isnan(value) else value
