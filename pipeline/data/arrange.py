"""From a file's columns to those of the task, as the task's YAML describes it.

A column that is neither used nor listed under `ignore` stays in the table, so that
`validate` refuses the file: what is not understood is not left out silently.
"""

import pandas as pd

from pipeline.data.expressions import Column, DatePart, Expression, Ratio, inputs, parse
from pipeline.data.table import text
from pipeline.schema import Layout, Task

_ISO = (
    r"\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?)?"
)


def arrange(task: Task, layout: Layout | None, raw: pd.DataFrame) -> pd.DataFrame:
    """Return the columns that the task expects, and those of the file that nothing is
    said of.

    Args:
        layout: how the file's columns become the task's. Without one, a file that has
            the task's columns is taken as it is, and any other is read as the task's
            own layout says.

    Raises:
        ValueError: a column that another is made of is missing, or has a value that is
            no number or no ISO date.
    """
    if layout is None:
        if set(raw.columns) == set(task.columns):
            return raw
        layout = task.table
    columns: list[pd.Series] = []
    used = set(layout.ignore)
    for name in task.columns:
        expression = parse(layout.derive.get(name, name))
        used.update(inputs(expression))
        if isinstance(expression, Column) and expression.name not in raw:
            continue  # `validate` says which column is missing
        values = _computed(expression, raw, name)
        if words := layout.values.get(name):
            values = values.map(
                lambda value, words=words: words.get(text(value), value)
            )
        columns.append(values.rename(name))
    rest = [raw[name] for name in raw.columns if name not in used]
    return pd.concat([*columns, *rest], axis=1) if columns or rest else raw


def _computed(expression: Expression, raw: pd.DataFrame, name: str) -> pd.Series:
    if missing := [column for column in inputs(expression) if column not in raw]:
        raise ValueError(f"lacks the column {missing[0]}, which {name} is made of")
    if isinstance(expression, Ratio):
        above, below = expression.above, expression.below
        divisor = below if isinstance(below, float) else _numbers(raw[below])
        return _numbers(raw[above]) / divisor
    if isinstance(expression, DatePart):
        return _date_part(raw[expression.name], expression.part)
    return raw[expression.name]


def _numbers(values: pd.Series) -> pd.Series:
    numbers = pd.to_numeric(values, errors="coerce").astype(float)
    _refuse(values, numbers.isna(), "a number")
    return numbers


def _date_part(values: pd.Series, part: str) -> pd.Series:
    """Return a part of each date, as it is written: a time zone does not move the day."""
    texts = values.astype("str")
    days = pd.to_datetime(texts.str[:10], format="%Y-%m-%d", errors="coerce")
    wrong = days.isna() | ~texts.str.fullmatch(_ISO).fillna(False).astype(bool)
    if part == "hour":
        hours = pd.to_numeric(texts.str[11:13], errors="coerce")
        _refuse(
            values,
            wrong | ~hours.between(0, 23),
            "a date with a time such as 2024-04-03 12:30",
        )
        return hours.astype(float)
    _refuse(values, wrong, "a date such as 2024-04-03")
    if part == "weekday":
        return (days.dt.day_of_week + 1).astype(float)
    if part == "days":
        return ((days - pd.Timestamp("1970-01-01")) / pd.Timedelta(days=1)).astype(
            float
        )
    found: pd.Series = getattr(days.dt, part).astype(float)
    return found


def _refuse(values: pd.Series, wrong: pd.Series, rule: str) -> None:
    """Name the first value that breaks a rule, if there is one."""
    places = wrong.to_numpy().nonzero()[0]
    if len(places):
        value = values.iloc[places[0]]
        shown = repr(value) if isinstance(value, str) else str(value)
        more = f" ({len(places) - 1} more values are wrong)" if len(places) > 1 else ""
        raise ValueError(
            f"row {places[0] + 1}, column {values.name}: the value {shown} is not"
            f" {rule}; correct the row or leave it out{more}"
        )
