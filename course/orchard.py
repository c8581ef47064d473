"""The table of lessons 5 to 9: an orchard whose rules differ from student to student.

Each tree of the orchard is a row, and its yield in kilograms is to be predicted. One
feature decides (`deciding`, up or down), one has an effect that turns round where another
one (`switch`) passes its middle, one drifts in the second season. Only sums, products and
`random()` are used, so that the text is the same on every system.
"""

import math
import random
from dataclasses import dataclass
from functools import cached_property

from course import difficulty
from course.personal import Personal

ROWS = 400
NAME = "orchard"
TARGET = "yield_kg"
VARIETIES = ("boskoop", "gala", "topaz")
# The middle of a span; the mean yield, and what a whole span of a feature changes, in kg.
CENTRE = 0.5
BASE = 60.0
FACTOR = 24.0
# What the other rules change, as shares of that.
TURNING_FACTOR = 1.1
DRIFTING_FACTOR = 2.0
VARIETY_FACTOR = 0.08


@dataclass(frozen=True)
class Column:
    """A feature as the orchard's data sheet describes it.

    `low` and `high` bound all values that are possible; the values of the first season
    lie between `low` and `low + span`.
    """

    name: str
    unit: str
    description: str
    low: int
    high: int
    span: int


NUMBERS = (
    Column("days", "days", "Days from blossom to harvest", 90, 230, 70),
    Column("sun", "hours", "Hours of sun in the season", 600, 2200, 800),
    Column("water", "mm", "Rain and irrigation in the season", 200, 1400, 600),
    Column("age", "years", "Age of the tree", 3, 63, 30),
    Column("height", "cm", "Height of the tree", 150, 650, 250),
    Column("nitrogen", "g", "Nitrogen given to the tree", 20, 320, 150),
)
BY_NAME = {column.name: column for column in NUMBERS}
Row = dict[str, float | str]


@dataclass(frozen=True)
class Rules:
    """What decides the yield in one orchard.

    `direction` is 1 if more of `deciding` means more fruit, and -1 otherwise. `turning`
    helps where `switch` is above its middle, and harms below. In the second season
    `drifting` lies `shift` of its span higher, and too much of it harms.
    """

    deciding: str
    direction: int
    turning: str
    switch: str
    drifting: str
    shift: float
    noise: float


class Orchard:
    """The orchard of a student."""

    def __init__(self, personal: Personal) -> None:
        self._personal = personal

    @cached_property
    def rules(self) -> Rules:
        """The rules, drawn again until their difficulty is as for everybody."""
        for attempt in range(1000):
            rules = self._draw(attempt)
            rows = self._rows(rules, "season 1 ", 0.0, ROWS)
            if _is_fair(rules, rows):
                return rules
        raise ValueError("no orchard of the wanted difficulty was drawn")

    def _draw(self, attempt: int) -> Rules:
        purpose = f"orchard {attempt}"
        columns = [column.name for column in NUMBERS]
        names = self._personal.shuffled(purpose, columns)
        direction = self._personal.choose(f"{purpose} direction", (-1, 1))
        shift_percent = self._personal.number(f"{purpose} shift", 45, 65)
        noise_percent = self._personal.number(f"{purpose} noise", 5, 8)
        return Rules(
            deciding=names[0],
            direction=direction,
            turning=names[1],
            switch=names[2],
            drifting=names[3],
            shift=shift_percent / 100,
            noise=noise_percent / 100,
        )

    def season(self, number: int, rows: int = ROWS, purpose: str = "") -> list[Row]:
        """Return the rows of a season, 1 or 2.

        Args:
            number: the season.
            rows: how many.
            purpose: of other rows than the student's own, such as the grader's.
        """
        shift = 0.0
        if number == 2:
            shift = self.rules.shift
        purpose = f"season {number} {purpose}"
        return self._rows(self.rules, purpose, shift, rows)

    def _rows(self, rules: Rules, purpose: str, shift: float, count: int) -> list[Row]:
        stream = self._personal.stream(purpose)
        return [_row(rules, stream, shift) for _ in range(count)]

    def csv(self, number: int) -> bytes:
        """Return the student's table of a season as CSV."""
        return to_csv(self.season(number))


def to_csv(rows: list[Row]) -> bytes:
    """Return rows as CSV, with the columns in the order of the first row."""
    header = ",".join(rows[0])
    lines = [header]
    for row in rows:
        values = [str(value) for value in row.values()]
        lines.append(",".join(values))
    text = "\n".join(lines)
    return f"{text}\n".encode()


def features_of(row: Row) -> Row:
    """Return what is known of a tree before its harvest: all but the target."""
    return {name: value for name, value in row.items() if name != TARGET}


def yields_of(rows: list[Row]) -> list[float]:
    """Return the target of each row, in kilograms."""
    return [float(row[TARGET]) for row in rows]


def shares_of(row: Row) -> dict[str, float]:
    """Return the place of each number in its span, 0 to 1 in the first season."""
    shares = {}
    for column in NUMBERS:
        above_low = float(row[column.name]) - column.low
        shares[column.name] = above_low / column.span
    return shares


def expected(rules: Rules, row: Row) -> float:
    """Return the yield of a tree without its noise, in kilograms."""
    shares = shares_of(row)
    is_switched = shares[rules.switch] < CENTRE
    turned = shares[rules.turning] - CENTRE
    if is_switched:
        turned = -turned
    variety = VARIETIES.index(str(row["variety"])) - 1
    # Added in this order, as the last digit depends on it.
    parts = rules.direction * (shares[rules.deciding] - CENTRE)
    parts += TURNING_FACTOR * turned
    parts -= DRIFTING_FACTOR * max(0.0, shares[rules.drifting] - 1.0)
    parts += VARIETY_FACTOR * variety
    return BASE + FACTOR * parts


def _row(rules: Rules, stream: random.Random, shift: float) -> Row:
    row: Row = {}
    for column in NUMBERS:
        share = stream.random()
        if column.name == rules.drifting:
            share += shift
        value = column.low + share * column.span
        row[column.name] = round(value, 1)
    place = int(stream.random() * len(VARIETIES))
    row["variety"] = VARIETIES[place]
    # A sum of twelve is nearly normal, with the variance 1. `sum` rounds differently from
    # Python 3.12 on, `fsum` does not.
    noise = math.fsum(stream.random() for _ in range(12)) - 6
    without_noise = expected(rules, row)
    kilograms = without_noise + FACTOR * rules.noise * noise
    row[TARGET] = round(kilograms, 2)
    return row


def _is_fair(rules: Rules, rows: list[Row]) -> bool:
    target = yields_of(rows)
    signal = [expected(rules, row) for row in rows]
    features = [_numbers(rows, column.name) for column in NUMBERS]
    return difficulty.is_fair(target, signal, features)


def _numbers(rows: list[Row], name: str) -> list[float]:
    """Return a column of numbers."""
    return [float(row[name]) for row in rows]


def sheet() -> str:
    """Return the orchard's data sheet: what the columns are, and what they can be."""
    lines = [_sheet_line("column", "unit", "possible", "what it is")]
    for column in NUMBERS:
        possible = f"{column.low} to {column.high}"
        line = _sheet_line(column.name, column.unit, possible, column.description)
        lines.append(line)
    varieties = ", ".join(VARIETIES)
    lines.append(_sheet_line("variety", "", "", f"One of {varieties}"))
    target = "Yield of the tree, the target"
    lines.append(_sheet_line(TARGET, "kg", "0 to 150", target))
    return "\n".join(lines)


def _sheet_line(name: str, unit: str, possible: str, description: str) -> str:
    return f"{name:<10} {unit:<6} {possible:<14} {description}"
