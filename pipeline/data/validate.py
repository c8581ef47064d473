"""Rows against the task's features: the first that breaks a rule is named, and all are
counted.
"""

import pandas as pd

from core.errors import PipelineError
from pipeline.data.table import texts
from pipeline.schema import Feature, Target, Task


def validate(task: Task, raw: pd.DataFrame, where: str) -> pd.DataFrame:
    """Return the table with its columns in order, numbers as float64 of 7 digits, all
    allowed.

    Args:
        raw: values as text or as numbers; row 1 is the first after the header.
        where: the file or address, for the errors.

    Raises:
        PipelineError: a column is missing, extra or twice there; a value is missing, no
            number, out of its range or not one of the categories.
    """
    try:
        check_columns(task, raw)
    except ValueError as error:
        raise PipelineError(f"{where}: {error}.") from error
    table, first_faults, count = {}, [], 0
    columns: list[Feature | Target] = [*task.features, task.target]
    for column in columns:
        values, wrong, rule = _checked(column, raw[column.name])
        table[column.name] = values
        if found := wrong.to_numpy().nonzero()[0].tolist():
            first_faults.append((found[0], column.name, rule))
            count += len(found)
    if first_faults:
        row, name, rule = min(first_faults)
        value = raw[name].iloc[row]
        shown = repr(value) if isinstance(value, str) else str(value)
        more = f" ({count - 1} more values are wrong)" if count > 1 else ""
        raise PipelineError(
            f"{where}: row {row + 1}, column {name}: the value {shown} is not {rule}; "
            f"correct the row or leave it out{more}."
        )
    if raw.empty:
        raise PipelineError(f"{where}: has no rows; put a whole file there.")
    return pd.DataFrame(table)


def check_columns(task: Task, raw: pd.DataFrame) -> None:
    """Compare a table's columns with the task's; their order does not matter.

    Raises:
        ValueError: one is missing, extra or twice there.
    """
    found, expected = list(raw.columns), list(task.columns)
    missing = [name for name in expected if name not in found]
    extra = sorted(
        {str(name) for name in found if name not in expected or found.count(name) > 1}
    )
    if missing or extra:
        faults = [f"lacks the column {', '.join(missing)}"] if missing else []
        faults += (
            [f"has the column {', '.join(extra)} that it should not have"]
            if extra
            else []
        )
        raise ValueError(
            f"{' and '.join(faults)}; the task {task.name} expects"
            f" {', '.join(expected)}"
        )


def _checked(
    column: Feature | Target, raw: pd.Series
) -> tuple[pd.Series, pd.Series, str]:
    """Return the values, which of them are wrong, and the rule in words."""
    allowed = column.classes if isinstance(column, Target) else column.categories
    raw = raw.reset_index(drop=True)
    if allowed:
        values = raw.astype(object).map(lambda value: _category(value, allowed))
        return values, ~values.isin(allowed), f"one of {', '.join(allowed)}"
    if pd.api.types.is_bool_dtype(raw):
        return raw, pd.Series(True, raw.index), "a number (it is a truth value)"
    numbers = pd.to_numeric(raw, errors="coerce").astype(float)
    low, high = column.low, column.high
    if low is None or high is None:
        return numbers, ~numbers.abs().lt(float("inf")), "a finite number"
    wrong = ~numbers.between(low, high)
    return (
        pd.Series(texts(numbers)).astype(float),
        wrong,
        f"a number from {low:g} to {high:g}",
    )


def _category(value: object, allowed: tuple[str, ...]) -> object:
    """Return the text of a whole number or a truth value, which some formats have as
    such.
    """
    if isinstance(value, bool):
        return next(
            (text for text in allowed if text.lower() == str(value).lower()), value
        )
    if isinstance(value, int) or (isinstance(value, float) and value.is_integer()):
        return str(int(value))
    return value
