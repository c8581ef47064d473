"""Checks the rows of a table against the features of its task.

The error names the first value that breaks a rule, and says how many do.
"""

from typing import NamedTuple

import pandas as pd

from core.errors import PipelineError
from pipeline.data.table import texts
from pipeline.schema import Feature, Target, Task


class _Checked(NamedTuple):
    """A column's converted values, which of them are wrong, and the rule in words."""

    values: pd.Series
    wrong: pd.Series
    rule: str


class _Fault(NamedTuple):
    """The first wrong value of a column; in the order in which errors are reported."""

    row: int
    column: str
    rule: str


def validate(task: Task, raw: pd.DataFrame, where: str) -> pd.DataFrame:
    """Return the table with its columns in order and its values converted and allowed.

    Numbers become float64 rounded to 7 digits.

    Args:
        raw: values as text or as numbers; row 1 is the first after the header.
        where: the file or address, for the errors.

    Raises:
        PipelineError: a column is missing, unexpected or duplicated; or a value is
            missing, not a number, out of its range or not one of the categories.
    """
    try:
        check_columns(task, raw)
    except ValueError as error:
        raise PipelineError(f"{where}: {error}.") from error
    table = {}
    faults = []
    count = 0
    columns: list[Feature | Target] = [*task.features, task.target]
    for column in columns:
        checked = _check(column, raw[column.name].reset_index(drop=True))
        table[column.name] = checked.values
        places = checked.wrong.to_numpy().nonzero()[0].tolist()
        if places:
            faults.append(_Fault(places[0], column.name, checked.rule))
            count += len(places)
    if faults:
        sentence = _describe(min(faults), raw, count)
        raise PipelineError(f"{where}: {sentence}.")
    if raw.empty:
        raise PipelineError(f"{where}: has no rows; use the complete file.")
    return pd.DataFrame(table)


def check_columns(task: Task, raw: pd.DataFrame) -> None:
    """Compare a table's columns with the task's; their order does not matter.

    Raises:
        ValueError: a column is missing, unexpected or duplicated.
    """
    present = list(raw.columns)
    expected = list(task.columns)
    missing = [name for name in expected if name not in present]
    unexpected = {str(name) for name in present if name not in expected}
    duplicated = [name for name in expected if present.count(name) > 1]
    faults = []
    if missing:
        faults.append(f"lacks the column {', '.join(missing)}")
    if unexpected:
        faults.append(f"has the unexpected column {', '.join(sorted(unexpected))}")
    if duplicated:
        faults.append(f"has the column {', '.join(duplicated)} twice")
    if faults:
        raise ValueError(
            f"{' and '.join(faults)}; the task {task.name} expects"
            f" {', '.join(expected)}"
        )


def first_wrong(value: object, row: int, column: object, rule: str, count: int) -> str:
    """Describe the first of `count` wrong values; `row` counts from 0."""
    shown = repr(value) if isinstance(value, str) else str(value)
    sentence = (
        f"row {row + 1}, column {column}: the value {shown} is not {rule}; "
        "correct the row or leave it out"
    )
    if count > 1:
        sentence += f" ({count - 1} more values are wrong)"
    return sentence


def _describe(fault: _Fault, raw: pd.DataFrame, count: int) -> str:
    value = raw[fault.column].iloc[fault.row]
    return first_wrong(value, fault.row, fault.column, fault.rule, count)


def _check(column: Feature | Target, raw: pd.Series) -> _Checked:
    """Check one column whose index counts from 0."""
    allowed = column.classes if isinstance(column, Target) else column.categories
    if allowed:
        objects = raw.astype(object)
        values = objects.map(lambda value: _category(value, allowed))
        known = values.isin(allowed)
        rule = f"one of {', '.join(allowed)}"
        return _Checked(values, ~known, rule)
    if pd.api.types.is_bool_dtype(raw):
        every = pd.Series(True, raw.index)
        return _Checked(raw, every, "a number (it is a truth value)")
    numbers = pd.to_numeric(raw, errors="coerce").astype(float)
    low = column.low
    high = column.high
    if low is None or high is None:
        is_finite = numbers.abs().lt(float("inf"))
        return _Checked(numbers, ~is_finite, "a finite number")
    in_range = numbers.between(low, high)
    rounded = pd.Series(texts(numbers)).astype(float)
    rule = f"a number from {low:g} to {high:g}"
    return _Checked(rounded, ~in_range, rule)


def _category(value: object, allowed: tuple[str, ...]) -> object:
    """Return a category's text where a format stores it as a number or truth value."""
    if isinstance(value, bool):
        for text in allowed:
            if text.lower() == str(value).lower():
                return text
        return value
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return value
