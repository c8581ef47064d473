"""Rows with a fault that happens in practice, hidden among good ones."""

from collections.abc import Callable
from dataclasses import dataclass

from course import orchard
from course.copy import Copy
from course.orchard import BY_NAME, Row
from course.personal import Draw

# Good rows of each season: the second lies outside the range of the first.
OF_A_SEASON = 100
ROWS = 20
# Columns whose values in the other's unit lie outside what is possible, and the factor.
UNITS = {
    "height": 0.01,
    "days": 1 / 7,
    "sun": 60,
    "water": 0.1,
    "nitrogen": 0.001,
}
MISSING_CODE = -999
OTHER_VARIETY = "elstar"
# A tree of which neither value is possible for the other column.
SWAPPED = ("age", "height")
Names = tuple[str, ...]
# Spoils a row, and returns the columns that may be named as wrong.
Spoiler = Callable[[Row, Draw], Names]


@dataclass(frozen=True)
class Fault:
    """A table with one row that is wrong.

    Attributes:
        name: what is wrong, a phrase.
        rows: the table.
        row: which row is wrong, from 1.
        columns: the columns that may be named as wrong.
    """

    name: str
    rows: list[Row]
    row: int
    columns: Names


def good(copy: Copy) -> list[Row]:
    """Return rows without a fault, of both seasons."""
    purpose = "lesson 6 good"
    first = copy.hidden_trees(1, OF_A_SEASON, purpose)
    second = copy.hidden_trees(2, OF_A_SEASON, purpose)
    return first + second


def faults(copy: Copy) -> list[Fault]:
    """Return the faults, each in a table of its own."""
    return [_fault(copy, name, spoil) for name, spoil in SPOILERS.items()]


def _fault(copy: Copy, name: str, spoil: Spoiler) -> Fault:
    rows = copy.hidden_trees(1, ROWS, f"lesson 6 {name}")
    place = copy.hidden.number(f"lesson 6 row {name}", 0, ROWS - 1)
    columns = spoil(rows[place], copy.hidden)
    return Fault(name, rows, place + 1, columns)


def _unit(row: Row, draw: Draw) -> Names:
    name = draw.choose("lesson 6 unit", list(UNITS))
    value = float(row[name])
    row[name] = round(value * UNITS[name], 3)
    return (name,)


def _code(row: Row, draw: Draw) -> Names:
    name = draw.choose("lesson 6 code", [*BY_NAME, orchard.TARGET])
    row[name] = MISSING_CODE
    return (name,)


def _swapped(row: Row, draw: Draw) -> Names:
    one, other = SWAPPED
    value = row[one]
    row[one] = row[other]
    row[other] = value
    return SWAPPED


def _category(row: Row, draw: Draw) -> Names:
    row["variety"] = OTHER_VARIETY
    return ("variety",)


def _comma(row: Row, draw: Draw) -> Names:
    name = draw.choose("lesson 6 comma", list(BY_NAME))
    value = str(row[name])
    with_comma = value.replace(".", ",")
    row[name] = f'"{with_comma}"'
    return (name,)


def _empty(row: Row, draw: Draw) -> Names:
    name = draw.choose("lesson 6 empty", list(BY_NAME))
    row[name] = ""
    return (name,)


SPOILERS: dict[str, Spoiler] = {
    "another unit": _unit,
    "a code for a missing value": _code,
    "two columns swapped": _swapped,
    "a new category": _category,
    "a decimal comma": _comma,
    "an empty value": _empty,
}
