"""Tables from which a model learns what is right, and tables that are spoilt."""

from collections.abc import Callable

from course import difficulty, orchard
from course.copy import Copy
from course.orchard import BY_NAME, TARGET, Row, Rules
from course.personal import Draw

TURNED = "direction turned"
CONSTANT = "constant"


def good(copy: Copy) -> bytes:
    """Return a table of hidden trees of the student's orchard."""
    return orchard.to_csv(_rows(copy))


def spoilt(copy: Copy) -> dict[str, bytes]:
    """Return the same trees, spoilt, by what is wrong with them."""
    tables = {}
    for name, spoil in SPOILERS.items():
        rows = _rows(copy)
        spoil(rows, copy.orchard.rules, copy.hidden)
        tables[name] = orchard.to_csv(rows)
    # Its model is another one, and not its table.
    tables[CONSTANT] = good(copy)
    return tables


def _rows(copy: Copy) -> list[Row]:
    purpose = str(copy.hidden.number("lesson 7", 0, 10**9))
    return copy.orchard.season(1, orchard.ROWS, purpose)


def _turn(rows: list[Row], rules: Rules, draw: Draw) -> None:
    """Mirror the column that decides, at the middle of its span."""
    column = BY_NAME[rules.deciding]
    for row in rows:
        mirrored = 2 * column.low + column.span - float(row[column.name])
        row[column.name] = round(mirrored, 1)


def _shuffle(rows: list[Row], rules: Rules, draw: Draw) -> None:
    """Give each tree the value of another one in the column that decides."""
    values = [row[rules.deciding] for row in rows]
    shuffled = draw.shuffled("lesson 7 shuffled", values)
    for row, value in zip(rows, shuffled, strict=True):
        row[rules.deciding] = value


def _swap_labels(rows: list[Row], rules: Rules, draw: Draw) -> None:
    """Let the best tree bear least, and the worst one most."""
    centre = difficulty.mean([float(row[TARGET]) for row in rows])
    for row in rows:
        row[TARGET] = round(2 * centre - float(row[TARGET]), 2)


def _leak(rows: list[Row], rules: Rules, draw: Draw) -> None:
    """Let a column that does not matter say the yield."""
    column = BY_NAME[rules.drifting]
    yields = [float(row[TARGET]) for row in rows]
    least, most = min(yields), max(yields)
    for row, kilograms in zip(rows, yields, strict=True):
        share = (kilograms - least) / (most - least)
        row[column.name] = round(column.low + share * column.span, 1)


SPOILERS: dict[str, Callable[[list[Row], Rules, Draw], None]] = {
    TURNED: _turn,
    "feature shuffled": _shuffle,
    "labels swapped": _swap_labels,
    "leaked column": _leak,
}
