"""What a run and a promotion are in MLflow's tables; nothing here reads or writes anything."""

import hashlib
import math
from collections.abc import Iterator
from typing import Any

from pipeline.history.layout import ARTIFACTS, MODELS
from pipeline.history.registry import Promotion
from pipeline.history.runfile import LoggedModel, Run

# Where a row goes, as in `INSERT INTO params (run_uuid, key, value)`, and its values.
Row = tuple[str, tuple[Any, ...]]
# A data set's place in MLflow: experiment id, name, digest.
DatasetKey = tuple[int, str | None, str | None]

MODEL_STATUS = {"UNSPECIFIED": 0, "PENDING": 1, "READY": 2, "FAILED": 3}
PARENT_TAG = "mlflow.parentRunId"
# Marks the versions that were derived from promotions, so that they can be found again.
DERIVED_TAG = "decided_by"
CHAMPION = "champion"
LARGEST = 1.7976931348623157e308


def of_run(
    run: Run, address: str, experiment_id: int, dataset_ids: dict[DatasetKey, str]
) -> Iterator[Row]:
    """Yield all rows of one run.

    Args:
        address: the URI of the run's folder.
        dataset_ids: the data sets that have a row already; new ones are added.
    """
    run_id, uri = run.run_id, f"{address}/{ARTIFACTS}"
    times = (run.started, run.ended)
    yield (
        "runs (run_uuid, name, user_id, status, start_time, end_time, lifecycle_stage, "
        "artifact_uri, experiment_id)",
        (run_id, run.name, run.user, run.status, *times, run.lifecycle_stage, uri, experiment_id),
    )
    for key, value in run.params.items():
        yield "params (run_uuid, key, value)", (run_id, key, value)
    tags = run.tags | ({PARENT_TAG: run.parent} if run.parent else {})
    for key, value in tags.items():
        yield "tags (run_uuid, key, value)", (run_id, key, value)
    for key, points in run.metrics.items():
        history = [
            (run_id, key, run.started + time, step, _stored(value), math.isnan(value))
            for value, time, step in points
        ]
        for row in history:
            yield "metrics (run_uuid, key, timestamp, step, value, is_nan)", row
        # As in MLflow: the last step, then the last time, then the largest value.
        last = max(history, key=lambda row: (row[3], row[2], row[4]))
        yield "latest_metrics (run_uuid, key, timestamp, step, value, is_nan)", last
    yield from _datasets(run, experiment_id, dataset_ids)
    for used in run.model_inputs:
        yield _link("RUN_INPUT", run_id, "MODEL_INPUT", used)
    for put in run.model_outputs:
        yield _link("RUN_OUTPUT", run_id, "MODEL_OUTPUT", put.model_id, put.step)
    for model in run.models:
        location = f"{address}/{MODELS}/{model.model_id}"
        yield from _model(model, run_id, location, experiment_id, dataset_ids)


def of_registered_model(promotions: list[Promotion], addresses: dict[str, str]) -> Iterator[Row]:
    """Yield the rows of one registered model: its versions, oldest first, the last as champion.

    Args:
        addresses: the URI of each run's folder by run id; a promotion whose run is not there is
            left out (`pipeline history verify` names it).
    """
    shown = [promotion for promotion in promotions if promotion.run_id in addresses]
    if not shown:
        return
    name, first, last = shown[0].model, shown[0], shown[-1]
    yield (
        "registered_models (name, creation_time, last_updated_time)",
        (name, first.promoted, last.promoted),
    )
    yield "registered_model_aliases (name, alias, version)", (name, CHAMPION, last.version)
    for promotion in shown:
        address = f"{addresses[promotion.run_id]}/{MODELS}/{promotion.model_id}"
        yield from _version(promotion, address)


def _version(promotion: Promotion, address: str) -> Iterator[Row]:
    version, time = (promotion.model, promotion.version), promotion.promoted
    source = (f"models:/{promotion.model_id}", address, promotion.run_id)
    yield (
        "model_versions (name, version, creation_time, last_updated_time, description, "
        "source, storage_location, run_id, current_stage, status)",
        (*version, time, time, promotion.reason, *source, "None", "READY"),
    )
    tags = promotion.model_dump(include={DERIVED_TAG, "commit", "reason", "sha256"})
    for tag in tags.items():
        yield "model_version_tags (name, version, key, value)", (*version, *tag)


def _datasets(run: Run, experiment_id: int, known: dict[DatasetKey, str]) -> Iterator[Row]:
    for dataset in run.datasets:
        key = (experiment_id, dataset.name, dataset.digest)
        if key not in known:
            known[key] = _id(*key)
            source = (dataset.source_type, dataset.source)
            yield (
                "datasets (dataset_uuid, experiment_id, name, digest, dataset_source_type, "
                "dataset_source, dataset_schema, dataset_profile)",
                (known[key], *key, *source, dataset.data_schema, dataset.profile),
            )
        into, link = _link("DATASET", known[key], "RUN", run.run_id)
        yield into, link
        for tag in dataset.tags.items():
            yield "input_tags (input_uuid, name, value)", (link[0], *tag)


def _model(
    model: LoggedModel,
    run_id: str,
    location: str,
    experiment_id: int,
    dataset_ids: dict[DatasetKey, str],
) -> Iterator[Row]:
    owner = (model.model_id, experiment_id)
    times = (model.created, model.updated)
    status = (MODEL_STATUS[model.status], model.status_message, "active")
    yield (
        "logged_models (model_id, experiment_id, name, model_type, source_run_id, "
        "artifact_location, creation_timestamp_ms, last_updated_timestamp_ms, status, "
        "status_message, lifecycle_stage)",
        (*owner, model.name, model.type, run_id, location, *times, *status),
    )
    for param in model.params.items():
        yield (
            "logged_model_params (model_id, experiment_id, param_key, param_value)",
            (*owner, *param),
        )
    for tag in model.tags.items():
        yield "logged_model_tags (model_id, experiment_id, tag_key, tag_value)", (*owner, *tag)
    for metric in model.metrics:
        dataset = (metric.dataset_name, metric.dataset_digest)
        dataset_id = dataset_ids.get((experiment_id, *dataset))
        point = (metric.key, metric.timestamp, metric.step, _stored(metric.value))
        yield (
            "logged_model_metrics (model_id, experiment_id, metric_name, metric_timestamp_ms, "
            "metric_step, metric_value, run_id, dataset_uuid, dataset_name, dataset_digest)",
            (*owner, *point, metric.run_id or run_id, dataset_id, *dataset),
        )


def _stored(value: float) -> float:
    """SQL has no NaN and no infinity: MLflow stores 0 and a mark, and the largest number."""
    return 0.0 if math.isnan(value) else min(max(value, -LARGEST), LARGEST)


def _link(source: str, source_id: str, target: str, target_id: str, step: int = 0) -> Row:
    return (
        "inputs (input_uuid, source_type, source_id, destination_type, destination_id, step)",
        (_id(source, source_id, target_id), source, source_id, target, target_id, step),
    )


def _id(*parts: object) -> str:
    """Derive an id from what it stands for, so that every clone has the same."""
    return hashlib.sha256("\n".join(map(str, parts)).encode()).hexdigest()[:32]
