"""Prints all that MLflow's client shows of a store as JSON: `python mlflow_listing.py
URI [DIR]`.

It runs in environments with other versions of MLflow, so it imports nothing of ours.
Left out is what differs from store to store: where experiments and files lie. DIR is
what a server would take for `mlflow-artifacts:`.
"""

import hashlib
import json
import math
import re
import sys
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname

from mlflow import MlflowClient

ADDRESS = re.compile(rb"artifact_path: .*(\n[ \t]+.*)*")
PLACES = (
    "experiment_id",
    "artifact_uri",
    "artifact_location",
    "source_run_link",
    "run_uuid",
)


def listing(uri: str, artifacts: str | None) -> dict[str, Any]:
    """Return experiments with their runs and models, and registered models with their
    versions.
    """
    client = MlflowClient(uri, registry_uri=uri)
    content: dict[str, Any] = {"experiments": {}, "registered": {}}
    for experiment in client.search_experiments():
        ids = [experiment.experiment_id]
        runs = pages(client.search_runs, experiment_ids=ids)
        models = pages(client.search_logged_models, experiment_ids=ids)
        content["experiments"][experiment.name] = {
            "stage": experiment.lifecycle_stage,
            "tags": experiment.tags,
            "runs": {
                run.info.run_id: of_run(client, run.info.run_id, artifacts)
                for run in runs
            },
            "models": {model.model_id: of_model(model, artifacts) for model in models},
        }
    for model in client.search_registered_models():
        versions = client.search_model_versions(f"name = '{model.name}'")
        content["registered"][model.name] = {
            "times": (model.creation_timestamp, model.last_updated_timestamp),
            "description": model.description,
            "aliases": {
                alias: int(version) for alias, version in model.aliases.items()
            },
            "versions": {
                int(version.version): of_version(version) for version in versions
            },
        }
    return content


def pages(query: Any, **arguments: Any) -> list[Any]:
    """Return the results of a search from all of its pages."""
    items: list[Any] = []
    token = None
    while True:
        page = query(max_results=100, page_token=token, **arguments)
        items += page
        token = page.token
        if not token:
            return items


def of_run(client: MlflowClient, run_id: str, artifacts: str | None) -> dict[str, Any]:
    """Describe a run, its inputs and outputs, and its files."""
    # A search in SQL leaves out the models that a run used.
    run = client.get_run(run_id)
    history = {
        key: sorted(
            (number(metric.value), metric.timestamp, metric.step)
            for metric in client.get_metric_history(run.info.run_id, key)
        )
        for key in run.data.metrics
    }
    return {
        "info": {
            key: value for key, value in dict(run.info).items() if key not in PLACES
        },
        "params": run.data.params,
        "tags": run.data.tags,
        "metrics": {key: number(value) for key, value in run.data.metrics.items()},
        "history": history,
        "datasets": sorted(
            (i.to_dictionary() for i in run.inputs.dataset_inputs), key=str
        ),
        "model_inputs": sorted(used.model_id for used in run.inputs.model_inputs),
        "model_outputs": sorted(
            (put.model_id, put.step) for put in run.outputs.model_outputs
        ),
        "files": files(run.info.artifact_uri, artifacts),
    }


def of_model(model: Any, artifacts: str | None) -> dict[str, Any]:
    """Describe a logged model and its files."""
    content = {
        key: value for key, value in model.to_dictionary().items() if key not in PLACES
    }
    content["metrics"] = sorted(
        (metric.key, number(metric.value), metric.timestamp, metric.step, metric.run_id)
        for metric in model.metrics or []
    )
    return content | {"files": files(model.artifact_location, artifacts)}


def of_version(version: Any) -> dict[str, Any]:
    """Describe a version of a registered model."""
    names = (
        "creation_timestamp last_updated_timestamp description current_stage source"
        " run_id"
    )
    listed = [*names.split(), "status", "tags"]
    return {name: getattr(version, name) for name in listed}


def number(value: float) -> str:
    """JSON has no NaN, and SQL no infinity."""
    if math.isinf(value):
        value = math.copysign(sys.float_info.max, value)
    return str(value)


def files(uri: str, artifacts: str | None) -> dict[str, str]:
    """Return the digests of the files at an address; MLmodel's without the address in
    it.
    """
    path = unquote(urlsplit(uri).path)
    folder = (
        Path(url2pathname(path))
        if uri.startswith("file:")
        else Path(artifacts or "", path[1:])
    )
    return {
        file.relative_to(folder).as_posix(): (
            hashlib.sha256(
                ADDRESS.sub(b"", file.read_bytes())
                if file.name == "MLmodel"
                else file.read_bytes()
            ).hexdigest()
        )
        for file in folder.rglob("*")
        if file.is_file()
    }


if __name__ == "__main__":
    print(
        json.dumps(listing(*sys.argv[1:2], *(sys.argv[2:] or [None])), sort_keys=True)
    )
