"""Checks the rows of a table against the features of its task.

The error names the first value that breaks a rule, and says how many do.
"""

from typing import NamedTuple

import pandas as pd

from core.errors import PipelineError
from pipeline.data.table import texts
from pipeline.schema import Feature, Target, Task


class _Checked(NamedTuple):
    """A column's converted values, which of them are wrong, and the rule as text."""

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
        name = column.name
        values = raw[name].reset_index(drop=True)
        checked = _check(column, values)
        table[name] = checked.values
        places = checked.wrong.to_numpy().nonzero()[0]
        if len(places):
            row = int(places[0])
            fault = _Fault(row, name, checked.rule)
            faults.append(fault)
            count += len(places)
    if faults:
        first = min(faults)
        sentence = _describe(first, raw, count)
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
    missing = []
    duplicated = []
    for name in expected:
        count = present.count(name)
        if count == 0:
            missing.append(name)
        if count > 1:
            duplicated.append(name)
    unexpected = {str(name) for name in present if name not in expected}
    faults = []
    if missing:
        names = ", ".join(missing)
        faults.append(f"lacks the column {names}")
    if unexpected:
        names = ", ".join(sorted(unexpected))
        faults.append(f"has the unexpected column {names}")
    if duplicated:
        names = ", ".join(duplicated)
        faults.append(f"has the column {names} twice")
    if faults:
        sentence = " and ".join(faults)
        names = ", ".join(expected)
        raise ValueError(f"{sentence}; the task {task.name} expects {names}")


def first_wrong(
    value: object,
    row: int,
    column: object,
    rule: str,
    count: int,
) -> str:
    """Describe the first of `count` wrong values; `row` counts from 0."""
    shown = str(value)
    if isinstance(value, str):
        shown = repr(value)
    number = row + 1
    sentence = (
        f"row {number}, column {column}: the value {shown} is not {rule}; "
        "correct the row or leave it out"
    )
    if count > 1:
        others = count - 1
        sentence += f" ({others} more values are wrong)"
    return sentence


def _describe(fault: _Fault, raw: pd.DataFrame, count: int) -> str:
    column = raw[fault.column]
    value = column.iloc[fault.row]
    return first_wrong(
        value,
        fault.row,
        fault.column,
        fault.rule,
        count,
    )


def _check(column: Feature | Target, raw: pd.Series) -> _Checked:
    """Check one column whose index counts from 0."""
    if isinstance(column, Target):
        allowed = column.classes
    else:
        allowed = column.categories
    if allowed:
        return _check_categories(raw, allowed)
    if pd.api.types.is_bool_dtype(raw):
        every = pd.Series(True, raw.index)
        return _Checked(raw, every, "a number (it is a truth value)")
    return _check_numbers(raw, column.low, column.high)


def _check_numbers(raw: pd.Series, low: float | None, high: float | None) -> _Checked:
    converted = pd.to_numeric(raw, errors="coerce")
    numbers = converted.astype(float)
    if low is None or high is None:
        sizes = numbers.abs()
        is_finite = sizes.lt(float("inf"))
        return _Checked(numbers, ~is_finite, "a finite number")
    in_range = numbers.between(low, high)
    canonical = pd.Series(texts(numbers))
    rounded = canonical.astype(float)
    rule = f"a number from {low:g} to {high:g}"
    return _Checked(rounded, ~in_range, rule)


def _check_categories(raw: pd.Series, allowed: tuple[str, ...]) -> _Checked:
    objects = raw.astype(object)
    values = objects.map(lambda value: _category(value, allowed))
    is_allowed = values.isin(allowed)
    choice = ", ".join(allowed)
    return _Checked(values, ~is_allowed, f"one of {choice}")


def _category(value: object, allowed: tuple[str, ...]) -> object:
    """Return a category's text where a format stores it as a number or truth value."""
    if isinstance(value, bool):
        word = str(value).lower()
        for text in allowed:
            if text.lower() == word:
                return text
        return value
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float) and value.is_integer():
        whole = int(value)
        return str(whole)
    return value
