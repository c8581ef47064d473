"""What `rows.sql` is given of runs and promotions; nothing here reads or writes
anything.
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
# What the rows of a record's parts are told of it.
NAMES = ("address", "experiment_id", "run_id", "model_id", "name", "digest")
LARGEST = 1.7976931348623157e308


def of_run(run: Run, address: str, experiment_id: int) -> Iterator[Row]:
    """Yield all rows of one run; `address` is the URI of its folder."""
    record = run.model_dump(by_alias=True, exclude={"metrics"})
    if run.parent:
        record["tags"][PARENT_TAG] = run.parent
    yield from _parts(
        "run", record, {"address": address, "experiment_id": experiment_id}
    )
    for key, points in run.metrics.items():
        history: list[dict[str, Any]] = [
            {
                "run_id": run.run_id,
                "key": key,
                "value": v,
                "time": run.started + time,
                "step": step,
            }
            for v, time, step in points
        ]
        yield from (("run.metrics", point) for point in history)
        # As in MLflow: the last step, then the last time, then the largest value.
        yield "run.latest", max(
            history, key=lambda p: (p["step"], p["time"], stored(p["value"]))
        )


def of_promotion(promotion: Promotion, address: str) -> Iterator[Row]:
    """Yield the rows of one promotion; `address` is the URI of its run's folder."""
    yield from _parts("promotion", promotion.model_dump(), {"address": address})


def _parts(part: str, record: dict[str, Any], owner: dict[str, Any]) -> Iterator[Row]:
    """Yield the rows of a record and of all that it holds; what one leaves open is its
    owner's.
    """
    row = owner | {
        k: value for k, value in record.items() if value is not None or k not in owner
    }
    yield part, row
    names = {name: row[name] for name in NAMES if name in row}
    for place, held in record.items():
        if isinstance(held, dict):
            for key, value in held.items():
                yield f"{part}.{place}", {**names, "key": key, "value": value}
        elif isinstance(held, list):
            for entry in held:
                known = entry if isinstance(entry, dict) else {"value": entry}
                yield from _parts(f"{part}.{place}", known, names)


def stored(value: float | None) -> float:
    """SQL has no NaN and no infinity: MLflow stores 0 and a mark, and the largest
    number.
    """
    return (
        0.0
        if value is None or math.isnan(value)
        else min(max(value, -LARGEST), LARGEST)
    )


def id_of(*parts: object) -> str:
    """Derive an id from what it stands for, so that every clone has the same."""
    return hashlib.sha256("\n".join(map(str, parts)).encode()).hexdigest()[:32]
