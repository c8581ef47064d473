"""Expressions for the columns of a task: `income`, `rooms / homes`, `month(sold)`."""

import re
from dataclasses import dataclass

# The parts of a date that can be a column; `days` counts from 1970-01-01, `weekday`
# from Monday, 1.
DATE_PARTS = ("year", "month", "day", "weekday", "hour", "days")
_NAME = r"[^/()]*[^/()\s]"
_FUNCTION = "|".join(DATE_PARTS)
_PART = re.compile(rf"({_FUNCTION})\(\s*({_NAME})\s*\)")
_RATIO = re.compile(rf"({_NAME})\s*/\s*({_NAME})")


@dataclass(frozen=True)
class Column:
    """A column as it is."""

    name: str


@dataclass(frozen=True)
class Ratio:
    """One column divided by another, or by a number."""

    above: str
    below: str | float


@dataclass(frozen=True)
class DatePart:
    """A number taken from a column of ISO dates."""

    part: str
    name: str


Expression = Column | Ratio | DatePart


def parse(text: str) -> Expression:
    """Parse an expression.

    Raises:
        ValueError: the text is not an expression.
    """
    part = _PART.fullmatch(text)
    if part:
        return DatePart(part[1], part[2])
    ratio = _RATIO.fullmatch(text)
    if ratio:
        above = ratio[1].strip()
        return Ratio(above, _number(ratio[2]))
    if re.fullmatch(_NAME, text):
        return Column(text)
    functions = ", ".join(f"{name}(a)" for name in DATE_PARTS)
    raise ValueError(
        f"{text!r} is neither a column, nor `a / b`, nor one of {functions}"
    )


def inputs(expression: Expression) -> list[str]:
    """Return the columns that an expression is computed from."""
    if not isinstance(expression, Ratio):
        return [expression.name]
    names = [expression.above]
    if isinstance(expression.below, str):
        names.append(expression.below)
    return names


def _number(text: str) -> str | float:
    try:
        return float(text)
    except ValueError:
        return text
