"""Turns the columns of a file into those of the task, as the task's YAML describes.

A column that is neither used nor listed under `ignore` stays in the table, so that
`validate` rejects the file: nothing unknown is dropped silently.
"""

import pandas as pd

from pipeline.data.expressions import Column, DatePart, Expression, Ratio, inputs, parse
from pipeline.data.layout import Layout
from pipeline.data.table import text
from pipeline.data.validate import first_wrong
from pipeline.schema import Task

_DAY = r"\d{4}-\d{2}-\d{2}"
_TIME = r"\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?"
_ZONE = r"(?:Z|[+-]\d{2}:?\d{2})"
_ISO = rf"{_DAY}(?:[T ]{_TIME}{_ZONE}?)?"


def arrange(task: Task, layout: Layout | None, raw: pd.DataFrame) -> pd.DataFrame:
    """Return the task's columns, followed by the columns that the layout doesn't know.

    Args:
        layout: how the file's columns become the task's. Without one, a file with the
            task's columns is taken as it is, and any other one is read according to
            the task's own layout.

    Raises:
        ValueError: a column that another is computed from is missing, or it has a value
            that is not a number or not an ISO date.
    """
    if layout is None:
        if set(raw.columns) == set(task.columns):
            return raw
        layout = task.table
    columns: list[pd.Series] = []
    used = set(layout.ignore)
    for name in task.columns:
        definition = layout.derive.get(name, name)
        expression = parse(definition)
        used.update(inputs(expression))
        if isinstance(expression, Column) and expression.name not in raw:
            continue  # `validate` names the column that is missing
        values = _compute(expression, raw, name)
        words = layout.values.get(name)
        if words:
            values = _translate(values, words)
        columns.append(values.rename(name))
    for name in raw.columns:
        if name not in used:
            columns.append(raw[name])
    if not columns:
        return raw
    return pd.concat(columns, axis=1)


def _translate(values: pd.Series, words: dict[str, str]) -> pd.Series:
    def translated(value: object) -> object:
        return words.get(text(value), value)

    return values.map(translated)


def _compute(expression: Expression, raw: pd.DataFrame, name: str) -> pd.Series:
    for column in inputs(expression):
        if column not in raw:
            raise ValueError(f"lacks the column {column}, from which {name} is derived")
    if isinstance(expression, Ratio):
        return _ratio(raw, expression)
    values = raw[expression.name]
    if isinstance(expression, DatePart):
        return _date_part(values, expression.part)
    return values


def _ratio(raw: pd.DataFrame, ratio: Ratio) -> pd.Series:
    dividend = _numbers(raw[ratio.above])
    if isinstance(ratio.below, float):
        return dividend / ratio.below
    divisor = _numbers(raw[ratio.below])
    return dividend / divisor


def _numbers(values: pd.Series) -> pd.Series:
    numbers = pd.to_numeric(values, errors="coerce")
    _require_none(numbers.isna(), values, "a number")
    return numbers.astype(float)


def _date_part(values: pd.Series, part: str) -> pd.Series:
    """Return a part of each date as it is written; a time zone doesn't move the day."""
    written = values.astype("str")
    matches = written.str.fullmatch(_ISO)
    is_iso = matches.fillna(False).astype(bool)
    written_days = written.str[:10]
    days = pd.to_datetime(
        written_days,
        format="%Y-%m-%d",
        errors="coerce",
    )
    wrong = days.isna() | ~is_iso
    if part == "hour":
        written_hours = written.str[11:13]
        hours = pd.to_numeric(written_hours, errors="coerce")
        wrong |= ~hours.between(0, 23)
        _require_none(wrong, values, "a date with a time such as 2024-04-03 12:30")
        return hours.astype(float)
    _require_none(wrong, values, "a date such as 2024-04-03")
    numbers = _part_of_day(days, part)
    return numbers.astype(float)


def _part_of_day(days: pd.Series, part: str) -> pd.Series:
    numbers: pd.Series
    if part == "weekday":
        numbers = days.dt.day_of_week + 1
    elif part == "days":
        epoch = pd.Timestamp("1970-01-01")
        day = pd.Timedelta(days=1)
        numbers = (days - epoch) / day
    else:
        numbers = getattr(days.dt, part)
    return numbers


def _require_none(wrong: pd.Series, values: pd.Series, rule: str) -> None:
    """Name the first value that breaks a rule, if there is one."""
    places = wrong.to_numpy().nonzero()[0]
    count = len(places)
    if count:
        row = places[0]
        value = values.iloc[row]
        sentence = first_wrong(
            value,
            row,
            values.name,
            rule,
            count,
        )
        raise ValueError(sentence)
