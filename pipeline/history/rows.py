"""What a run and a promotion are in MLflow's tables; nothing here reads or writes anything."""

import hashlib
import math
from collections import defaultdict
from collections.abc import Set
from typing import Any

from pipeline.history.registry import Promotion
from pipeline.history.runfile import LoggedModel, Run

# Rows to insert by table, with the values of that table's COLUMNS.
Rows = defaultdict[str, list[tuple[Any, ...]]]
# A data set's place in MLflow: experiment id, name, digest.
DatasetKey = tuple[int, str, str]

COLUMNS = {
    "runs": "run_uuid, name, source_type, source_name, entry_point_name, user_id, status, "
    "start_time, end_time, source_version, lifecycle_stage, artifact_uri, experiment_id",
    "params": "key, value, run_uuid",
    "tags": "key, value, run_uuid",
    "metrics": "key, value, is_nan, timestamp, step, run_uuid",
    "latest_metrics": "key, value, is_nan, timestamp, step, run_uuid",
    "datasets": "dataset_uuid, experiment_id, name, digest, dataset_source_type, dataset_source, "
    "dataset_schema, dataset_profile",
    "inputs": "input_uuid, source_type, source_id, destination_type, destination_id, step",
    "input_tags": "input_uuid, name, value",
    "logged_models": "model_id, experiment_id, name, artifact_location, creation_timestamp_ms, "
    "last_updated_timestamp_ms, status, lifecycle_stage, model_type, source_run_id, status_message",
    "logged_model_params": "model_id, experiment_id, param_key, param_value",
    "logged_model_tags": "model_id, experiment_id, tag_key, tag_value",
    "logged_model_metrics": "model_id, experiment_id, metric_name, metric_timestamp_ms, "
    "metric_step, metric_value, run_id, dataset_uuid, dataset_name, dataset_digest",
    "registered_models": "name, creation_time, last_updated_time, description",
    "model_versions": "name, version, creation_time, last_updated_time, description, "
    "current_stage, source, storage_location, run_id, run_link, status, status_message",
    "model_version_tags": "name, version, key, value",
    "registered_model_aliases": "name, alias, version",
}
MODEL_STATUS = {"UNSPECIFIED": 0, "PENDING": 1, "READY": 2, "FAILED": 3}
PARENT_TAG = "mlflow.parentRunId"
# Marks the versions that were derived from promotions, so that they can be found again.
DERIVED_TAG = "decided_by"
CHAMPION = "champion"
LARGEST = 1.7976931348623157e308


def add_run(
    rows: Rows,
    run: Run,
    address: str,
    experiment_id: int,
    dataset_ids: dict[DatasetKey, str],
    shown_models: Set[str],
) -> None:
    """Add all rows of one run.

    Args:
        address: the URI of the run's folder.
        dataset_ids: the data sets that have a row already; new ones are added.
        shown_models: the logged models to show.
    """
    run_id = run.run_id
    row = (run_id, run.name, "UNKNOWN", "", "", run.user, run.status, run.started, run.ended)
    rows["runs"].append((*row, "", run.lifecycle_stage, f"{address}/artifacts", experiment_id))
    tags = run.tags | ({PARENT_TAG: run.parent} if run.parent else {})
    rows["params"] += [(key, value, run_id) for key, value in run.params.items()]
    rows["tags"] += [(key, value, run_id) for key, value in tags.items()]
    for key, points in run.metrics.items():
        history = [
            (key, *_stored(value), run.started + time, step, run_id) for value, time, step in points
        ]
        rows["metrics"] += history
        # As in MLflow: the last step, then the last time, then the largest value.
        last = max(history, key=lambda row: (row[4], row[3], row[1]))
        rows["latest_metrics"].append(last)
    _add_datasets(rows, run, experiment_id, dataset_ids)
    rows["inputs"] += [_link("RUN_INPUT", run_id, "MODEL_INPUT", m) for m in run.model_inputs]
    rows["inputs"] += [
        _link("RUN_OUTPUT", run_id, "MODEL_OUTPUT", put.model_id, put.step)
        for put in run.model_outputs
    ]
    for model in run.models:
        if model.model_id in shown_models:
            location = f"{address}/models/{model.model_id}"
            _add_model(rows, model, run_id, location, experiment_id, dataset_ids)


def _stored(value: float) -> tuple[float, bool]:
    """SQL has no NaN and no infinity: MLflow stores 0 and a mark, and the largest number."""
    if math.isnan(value):
        return 0.0, True
    return min(max(value, -LARGEST), LARGEST), False


def _add_datasets(rows: Rows, run: Run, experiment_id: int, known: dict[DatasetKey, str]) -> None:
    for dataset in run.datasets:
        key = (experiment_id, dataset.name, dataset.digest)
        if key not in known:
            known[key] = _id(*key)
            source = (dataset.source_type, dataset.source)
            rows["datasets"].append(
                (known[key], *key, *source, dataset.data_schema, dataset.profile)
            )
        link = _link("DATASET", known[key], "RUN", run.run_id)
        rows["inputs"].append(link)
        rows["input_tags"] += [(link[0], *tag) for tag in dataset.tags.items()]


def _add_model(
    rows: Rows,
    model: LoggedModel,
    run_id: str,
    location: str,
    experiment_id: int,
    dataset_ids: dict[DatasetKey, str],
) -> None:
    owner = (model.model_id, experiment_id)
    state = (MODEL_STATUS[model.status], "active", model.type, run_id, model.status_message)
    times = (model.created, model.updated)
    rows["logged_models"].append((*owner, model.name, location, *times, *state))
    rows["logged_model_params"] += [(*owner, *param) for param in model.params.items()]
    rows["logged_model_tags"] += [(*owner, *tag) for tag in model.tags.items()]
    for metric in model.metrics:
        dataset = (metric.dataset_name, metric.dataset_digest)
        dataset_id = dataset_ids.get((experiment_id, dataset[0] or "", dataset[1] or ""))
        value = (metric.key, metric.timestamp, metric.step, _stored(metric.value)[0])
        run = metric.run_id or run_id
        rows["logged_model_metrics"].append((*owner, *value, run, dataset_id, *dataset))


def add_registered_model(
    rows: Rows, promotions: list[Promotion], addresses: dict[str, str]
) -> None:
    """Add the rows of one registered model: its versions, oldest first, the last as champion.

    Args:
        addresses: the URI of each run's folder by run id; a promotion whose run is not there is
            left out (`pipeline history verify` names it).
    """
    shown = [promotion for promotion in promotions if promotion.run_id in addresses]
    if not shown:
        return
    name, first, last = shown[0].model, shown[0], shown[-1]
    rows["registered_models"].append((name, first.promoted, last.promoted, ""))
    rows["registered_model_aliases"].append((name, CHAMPION, last.version))
    for promotion in shown:
        version, time = (name, promotion.version), promotion.promoted
        location = f"{addresses[promotion.run_id]}/models/{promotion.model_id}"
        source = (f"models:/{promotion.model_id}", location, promotion.run_id, "", "READY", "")
        rows["model_versions"].append((*version, time, time, promotion.reason, "None", *source))
        tags = {
            DERIVED_TAG: promotion.decided_by,
            "commit": promotion.commit,
            "reason": promotion.reason,
            "sha256": promotion.sha256,
        }
        rows["model_version_tags"] += [(*version, *tag) for tag in tags.items()]


def _link(
    source: str, source_id: str, target: str, target_id: str, step: int = 0
) -> tuple[Any, ...]:
    return _id(source, source_id, target_id), source, source_id, target, target_id, step


def _id(*parts: object) -> str:
    """Derive an id from what it stands for, so that every clone has the same."""
    return hashlib.sha256("\n".join(map(str, parts)).encode()).hexdigest()[:32]
