"""Rows with a fault that happens in practice, hidden among good ones."""

from collections.abc import Callable
from dataclasses import dataclass

from course import orchard
from course.copy import Copy
from course.orchard import BY_NAME, Row
from course.personal import Draw

# Half of them of each season: the second lies outside the range of the first.
GOOD = 200
ROWS = 20
# Columns whose values in the other's unit lie outside what is possible, and the factor.
UNITS = {"height": 0.01, "days": 1 / 7, "sun": 60, "water": 0.1, "nitrogen": 0.001}
MISSING_CODE = -999
OTHER_VARIETY = "elstar"
# A tree of which neither value is possible for the other column.
SWAPPED = ("age", "height")


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
    columns: tuple[str, ...]


def good(copy: Copy) -> list[Row]:
    """Return rows without a fault, of both seasons."""
    purpose = str(copy.hidden.number("lesson 6 good", 0, 10**9))
    half = GOOD // 2
    seasons = [copy.orchard.season(number, half, purpose) for number in (1, 2)]
    return [*seasons[0], *seasons[1]]


def faults(copy: Copy) -> list[Fault]:
    """Return the faults, each in a table of its own."""
    return [_fault(copy, name, spoil) for name, spoil in SPOILERS.items()]


def _fault(
    copy: Copy, name: str, spoil: Callable[[Row, Draw], tuple[str, ...]]
) -> Fault:
    purpose = str(copy.hidden.number(f"lesson 6 {name}", 0, 10**9))
    rows = copy.orchard.season(1, ROWS, purpose)
    place = copy.hidden.number(f"lesson 6 row {name}", 0, ROWS - 1)
    columns = spoil(rows[place], copy.hidden)
    return Fault(name, rows, place + 1, columns)


def _unit(row: Row, draw: Draw) -> tuple[str, ...]:
    name = draw.choose("lesson 6 unit", list(UNITS))
    row[name] = round(float(row[name]) * UNITS[name], 3)
    return (name,)


def _code(row: Row, draw: Draw) -> tuple[str, ...]:
    name = draw.choose("lesson 6 code", [*BY_NAME, orchard.TARGET])
    row[name] = MISSING_CODE
    return (name,)


def _swapped(row: Row, draw: Draw) -> tuple[str, ...]:
    one, other = SWAPPED
    row[one], row[other] = row[other], row[one]
    return SWAPPED


def _category(row: Row, draw: Draw) -> tuple[str, ...]:
    row["variety"] = OTHER_VARIETY
    return ("variety",)


def _comma(row: Row, draw: Draw) -> tuple[str, ...]:
    name = draw.choose("lesson 6 comma", list(BY_NAME))
    row[name] = f'"{row[name]}"'.replace(".", ",")
    return (name,)


def _empty(row: Row, draw: Draw) -> tuple[str, ...]:
    name = draw.choose("lesson 6 empty", list(BY_NAME))
    row[name] = ""
    return (name,)


SPOILERS: dict[str, Callable[[Row, Draw], tuple[str, ...]]] = {
    "another unit": _unit,
    "a code for a missing value": _code,
    "two columns swapped": _swapped,
    "a new category": _category,
    "a decimal comma": _comma,
    "an empty value": _empty,
}
