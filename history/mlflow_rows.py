"""The rows of MLflow's tables for runs and promotions; nothing is read or written here.

`mlflow_rows.sql` has the statement for each part of a record.
"""

import hashlib
import math
from collections.abc import Iterator
from typing import Any

from history.registry import Promotion
from history.runfile import Run

# The part of a record, such as `run.params`, and its values by name.
Row = tuple[str, dict[str, Any]]

PARENT_TAG = "mlflow.parentRunId"
# The fields of a record that the rows of its parts have, too.
NAMES = (
    "address",
    "experiment_id",
    "run_id",
    "model_id",
    "name",
    "input_id",
)
LARGEST = 1.7976931348623157e308


def of_run(
    run: Run,
    address: str,
    experiment_id: int,
) -> Iterator[Row]:
    """Yield all rows of one run; `address` is the URI of its folder."""
    record = run.model_dump(by_alias=True, exclude={"metrics"})
    if run.parent:
        record["tags"][PARENT_TAG] = run.parent
    owner = {"address": address, "experiment_id": experiment_id}
    yield from _rows("run", record, owner)
    for key in run.metrics:
        points = _points(run, key)
        for point in points:
            yield "run.metrics", point
        yield "run.latest", max(points, key=_order)


def _points(run: Run, key: str) -> list[dict[str, Any]]:
    points = []
    for value, time, step in run.metrics[key]:
        point = {
            "run_id": run.run_id,
            "key": key,
            "value": stored(value),
            "is_nan": value is None or math.isnan(value),
            "time": run.started + time,
            "step": step,
        }
        points.append(point)
    return points


def _order(point: dict[str, Any]) -> tuple[int, int, float]:
    """As in MLflow: the last step, then the last time, then the largest value."""
    return point["step"], point["time"], point["value"]


def of_promotion(promotion: Promotion, address: str) -> Iterator[Row]:
    """Yield the rows of one promotion; `address` is the URI of its run's folder."""
    record = promotion.model_dump()
    yield from _rows("promotion", record, {"address": address})


def _rows(
    part: str,
    record: dict[str, Any],
    owner: dict[str, Any],
) -> Iterator[Row]:
    """Yield the row of a record, and those of the records and mappings in its fields.

    A field that is None is taken from the owner.
    """
    row = dict(owner)
    for name, value in record.items():
        if value is not None or name not in owner:
            row[name] = value
    row.update(_derived(part, row))
    yield part, row
    names = {name: row[name] for name in NAMES if name in row}
    for field, content in record.items():
        if isinstance(content, dict):
            part_of_field = f"{part}.{field}"
            for key, value in content.items():
                yield part_of_field, {**names, "key": key, "value": value}
        elif isinstance(content, list):
            part_of_field = f"{part}.{field}"
            for entry in content:
                if not isinstance(entry, dict):
                    entry = {"value": entry}
                yield from _rows(part_of_field, entry, names)


def _derived(part: str, row: dict[str, Any]) -> dict[str, Any]:
    """Return the values of a row that follow from its other values."""
    if part == "run.datasets":
        dataset_id = id_of(row["experiment_id"], row["name"], row["digest"])
        input_id = id_of("DATASET", dataset_id, row["run_id"])
        return {"dataset_id": dataset_id, "input_id": input_id}
    if part == "run.model_inputs":
        return {"input_id": id_of("RUN_INPUT", row["run_id"], row["value"])}
    if part == "run.model_outputs":
        return {"input_id": id_of("RUN_OUTPUT", row["run_id"], row["model_id"])}
    if part == "run.models.metrics":
        return {"value": stored(row["value"])}
    return {}


def stored(value: float | None) -> float:
    """Return what MLflow stores for a value.

    SQL has no NaN and no infinity: MLflow stores 0 with a mark, and the largest number.
    """
    if value is None or math.isnan(value):
        return 0.0
    return min(max(value, -LARGEST), LARGEST)


def id_of(*parts: object) -> str:
    """Derive an ID from what it identifies, so that every clone has the same."""
    text = "\n".join(map(str, parts))
    digest = hashlib.sha256(text.encode()).hexdigest()
    return digest[:32]
