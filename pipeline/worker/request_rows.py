"""The rows of a request as a table, given by name or in the features' order."""

from typing import Any

import pandas as pd

from core.counts import counted
from core.errors import UsageError
from core.jobs import Record
from pipeline.schema import Task

Row = Record | list[Any]
Rows = list[Record] | list[list[Any]]
# What error messages call the rows.
GIVEN = "data of the request"


def table(task: Task, data: Rows, target: list[Any] | None) -> pd.DataFrame:
    """Return the rows with the target's values beside them, each value as text.

    Args:
        task: the task that they are for.
        data: records by name, or the values of each row in the order of the task's
            features.
        target: a value for each row; of a classification the class, or its number as
            scikit-learn counts classes, from 0. Without it the records have the target
            among their values.

    Raises:
        UsageError: a row is too short or too long, or there are more or fewer targets
            than rows.
    """
    rows: list[Row] = [*data]
    records = []
    for number, row in enumerate(rows, start=1):
        record = _record(number, row, task)
        records.append(record)
    if target is not None:
        records = _with_target(task, records, target)
    elif isinstance(data[0], list):
        raise UsageError(
            f"target is missing: send the {task.target.name} of each row, in the order"
            " of data."
        )
    values = pd.DataFrame(records).astype(object)
    return values.map(str)


def _record(number: int, row: Row, task: Task) -> Record:
    """Return a row by name.

    Raises:
        UsageError: it has too few or too many values.
    """
    if isinstance(row, dict):
        return row
    names = [feature.name for feature in task.features]
    if len(row) != len(names):
        order = ", ".join(names)
        raise UsageError(
            f"{GIVEN}: row {number} has {counted(len(row), 'value')}, but {task.name} has"
            f" {counted(len(names), 'feature')}: send {order}, in this order."
        )
    return dict(zip(names, row, strict=True))


def _with_target(task: Task, records: list[Record], target: list[Any]) -> list[Record]:
    """Return records with the target among their values.

    Raises:
        UsageError: there are more or fewer targets than records, or a record has it.
    """
    name = task.target.name
    if len(target) != len(records):
        raise UsageError(
            f"target has {counted(len(target), 'value')} and data has"
            f" {counted(len(records), 'row')}: send one {name} for each row, in the same"
            " order."
        )
    labelled = []
    for record, value in zip(records, target, strict=True):
        if name in record:
            raise UsageError(
                f"{name} is in data and in target: send it in one of them."
            )
        label = _label(value, task)
        labelled.append(record | {name: label})
    return labelled


def _label(value: Any, task: Task) -> Any:
    """Return the class that a number stands for; any other value as it is."""
    classes = task.target.classes
    if not classes or not _is_whole(value):
        return value
    number = int(value)
    text = str(number)
    if text in classes:
        return text
    if 0 <= number < len(classes):
        return classes[number]
    return value


def _is_whole(value: Any) -> bool:
    if isinstance(value, bool):
        return False
    if isinstance(value, float):
        return value.is_integer()
    return isinstance(value, int)
