"""What a run and a promotion are in MLflow's tables; nothing here reads or writes anything."""

import hashlib
import math
from collections.abc import Iterator
from typing import Any

from pipeline.history.layout import ARTIFACTS, MODELS
from pipeline.history.registry import Promotion
from pipeline.history.runfile import LoggedModel, Run

# A table's name, and the values of its columns.
Row = tuple[str, dict[str, Any]]
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
    run_id = run.run_id
    yield "runs", {
        "run_uuid": run_id,
        "name": run.name,
        "source_type": "UNKNOWN",
        "source_name": "",
        "entry_point_name": "",
        "user_id": run.user,
        "status": run.status,
        "start_time": run.started,
        "end_time": run.ended,
        "source_version": "",
        "lifecycle_stage": run.lifecycle_stage,
        "artifact_uri": f"{address}/{ARTIFACTS}",
        "experiment_id": experiment_id,
    }
    tags = run.tags | ({PARENT_TAG: run.parent} if run.parent else {})
    for table, texts in (("params", run.params), ("tags", tags)):
        for key, value in texts.items():
            yield table, {"run_uuid": run_id, "key": key, "value": value}
    yield from _metrics(run)
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
    first, last = shown[0], shown[-1]
    times = {"creation_time": first.promoted, "last_updated_time": last.promoted}
    yield "registered_models", {"name": first.model, "description": "", **times}
    alias = {"name": first.model, "alias": CHAMPION, "version": last.version}
    yield "registered_model_aliases", alias
    for promotion in shown:
        yield from _version(promotion, addresses[promotion.run_id])


def _version(promotion: Promotion, address: str) -> Iterator[Row]:
    version = {"name": promotion.model, "version": promotion.version}
    yield "model_versions", version | {
        "creation_time": promotion.promoted,
        "last_updated_time": promotion.promoted,
        "description": promotion.reason,
        "current_stage": "None",
        "source": f"models:/{promotion.model_id}",
        "storage_location": f"{address}/{MODELS}/{promotion.model_id}",
        "run_id": promotion.run_id,
        "run_link": "",
        "status": "READY",
        "status_message": "",
    }
    tags = promotion.model_dump(include={DERIVED_TAG, "commit", "reason", "sha256"})
    for key, value in tags.items():
        yield "model_version_tags", version | {"key": key, "value": value}


def _metrics(run: Run) -> Iterator[Row]:
    for key, points in run.metrics.items():
        history = [
            {
                "run_uuid": run.run_id,
                "key": key,
                "value": _stored(value),
                "is_nan": math.isnan(value),
                "timestamp": run.started + time,
                "step": step,
            }
            for value, time, step in points
        ]
        for row in history:
            yield "metrics", row
        # As in MLflow: the last step, then the last time, then the largest value.
        yield "latest_metrics", max(
            history, key=lambda row: (row["step"], row["timestamp"], row["value"])
        )


def _stored(value: float) -> float:
    """SQL has no NaN and no infinity: MLflow stores 0 and a mark, and the largest number."""
    return 0.0 if math.isnan(value) else min(max(value, -LARGEST), LARGEST)


def _datasets(run: Run, experiment_id: int, known: dict[DatasetKey, str]) -> Iterator[Row]:
    for dataset in run.datasets:
        key = (experiment_id, dataset.name, dataset.digest)
        if key not in known:
            known[key] = _id(*key)
            yield "datasets", {
                "dataset_uuid": known[key],
                "experiment_id": experiment_id,
                "name": dataset.name,
                "digest": dataset.digest,
                "dataset_source_type": dataset.source_type,
                "dataset_source": dataset.source,
                "dataset_schema": dataset.data_schema,
                "dataset_profile": dataset.profile,
            }
        table, link = _link("DATASET", known[key], "RUN", run.run_id)
        yield table, link
        for name, value in dataset.tags.items():
            yield "input_tags", {"input_uuid": link["input_uuid"], "name": name, "value": value}


def _model(
    model: LoggedModel,
    run_id: str,
    location: str,
    experiment_id: int,
    dataset_ids: dict[DatasetKey, str],
) -> Iterator[Row]:
    owner = {"model_id": model.model_id, "experiment_id": experiment_id}
    yield "logged_models", owner | {
        "name": model.name,
        "artifact_location": location,
        "creation_timestamp_ms": model.created,
        "last_updated_timestamp_ms": model.updated,
        "status": MODEL_STATUS[model.status],
        "lifecycle_stage": "active",
        "model_type": model.type,
        "source_run_id": run_id,
        "status_message": model.status_message,
    }
    for key, value in model.params.items():
        yield "logged_model_params", owner | {"param_key": key, "param_value": value}
    for key, value in model.tags.items():
        yield "logged_model_tags", owner | {"tag_key": key, "tag_value": value}
    for metric in model.metrics:
        dataset = (experiment_id, metric.dataset_name, metric.dataset_digest)
        yield "logged_model_metrics", owner | {
            "metric_name": metric.key,
            "metric_timestamp_ms": metric.timestamp,
            "metric_step": metric.step,
            "metric_value": _stored(metric.value),
            "run_id": metric.run_id or run_id,
            "dataset_uuid": dataset_ids.get(dataset),
            "dataset_name": metric.dataset_name,
            "dataset_digest": metric.dataset_digest,
        }


def _link(source: str, source_id: str, target: str, target_id: str, step: int = 0) -> Row:
    return "inputs", {
        "input_uuid": _id(source, source_id, target_id),
        "source_type": source,
        "source_id": source_id,
        "destination_type": target,
        "destination_id": target_id,
        "step": step,
    }


def _id(*parts: object) -> str:
    """Derive an id from what it stands for, so that every clone has the same."""
    return hashlib.sha256("\n".join(map(str, parts)).encode()).hexdigest()[:32]
