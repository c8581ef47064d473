"""The rows of a request as a table, whether they came with names or in the features'
order.
"""

from typing import Any

import pandas as pd

from core.errors import UsageError
from pipeline.schema import Task
from pipeline.worker.jobs import Json

Rows = list[Json] | list[list[Any]]
GIVEN = "data of the request"


def table(task: Task, data: Rows, target: list[Any] | None) -> pd.DataFrame:
    """Return the rows with the target's values beside them, each value as text.

    Args:
        data: records by name, or the values of each row in the order of the task's
            features.
        target: a value for each row; of a classification the class, or its number as
            scikit-learn counts classes, from 0. Without it the records have the target
            among their values.

    Raises:
        UsageError: a row is too short or too long, or there are more or fewer targets
            than rows.
    """
    name, names = task.target.name, [feature.name for feature in task.features]
    given: list[Json | list[Any]] = [*data]
    records = [_record(number, row, names, task) for number, row in enumerate(given, 1)]
    if target is not None:
        if len(target) != len(records):
            raise UsageError(
                f"target has {len(target)} values and data has {len(records)} rows:"
                f" send one {name} for each row, in the same order."
            )
        if any(name in record for record in records):
            raise UsageError(
                f"{name} is in data and in target: send it in one of them."
            )
        records = [
            row | {name: _label(value, task)} for row, value in zip(records, target)
        ]
    elif isinstance(data[0], list):
        raise UsageError(
            f"target is missing: send the {name} of each row, in the order of data."
        )
    return pd.DataFrame(records).astype(object).map(str)


def _record(number: int, row: Json | list[Any], names: list[str], task: Task) -> Json:
    if isinstance(row, dict):
        return row
    if len(row) != len(names):
        raise UsageError(
            f"{GIVEN}: row {number} has {len(row)} values, but {task.name} has"
            f" {len(names)} features: send {', '.join(names)}, in this order."
        )
    return dict(zip(names, row, strict=True))


def _label(value: Any, task: Task) -> Any:
    """Return the class that a number stands for; any other value as it is."""
    classes = task.target.classes
    if isinstance(value, bool) or not isinstance(value, int | float) or not classes:
        return value
    if isinstance(value, float) and not value.is_integer():
        return value
    place = int(value)
    if str(place) in classes:
        return str(place)
    return classes[place] if 0 <= place < len(classes) else value
