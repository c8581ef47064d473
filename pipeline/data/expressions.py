"""How a task's YAML may say what a column is made of: `income`, `rooms / homes`,
`month(sold)`.
"""

import re
from dataclasses import dataclass

# The parts of a date that can be a column; `days` counts from 1970-01-01, `weekday`
# from Monday, 1.
DATE_PARTS = ("year", "month", "day", "weekday", "hour", "days")
_NAME = r"[^/()]*[^/()\s]"
_PART = re.compile(rf"({'|'.join(DATE_PARTS)})\(\s*({_NAME})\s*\)")
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
    """Return what an expression means.

    Raises:
        ValueError: it is none.
    """
    if found := _PART.fullmatch(text):
        return DatePart(found[1], found[2])
    if found := _RATIO.fullmatch(text):
        return Ratio(found[1].strip(), _number(found[2]))
    if re.fullmatch(_NAME, text):
        return Column(text)
    raise ValueError(
        f"{text!r} is neither a column, nor `a / b`, nor one of "
        f"{', '.join(f'{part}(a)' for part in DATE_PARTS)}"
    )


def inputs(expression: Expression) -> list[str]:
    """Return the columns that an expression is made of."""
    if isinstance(expression, Ratio):
        return [
            name
            for name in (expression.above, expression.below)
            if isinstance(name, str)
        ]
    return [expression.name]


def _number(text: str) -> str | float:
    try:
        return float(text)
    except ValueError:
        return text
