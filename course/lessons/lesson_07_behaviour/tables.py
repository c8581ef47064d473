"""Tables from which a model learns what is right, and tables that are spoilt."""

from collections.abc import Callable

from course import difficulty, orchard
from course.copy import Copy
from course.orchard import BY_NAME, TARGET, Row, Rules
from course.personal import Draw

TURNED = "direction turned"
CONSTANT = "constant"
Rows = list[Row]
Spoiler = Callable[[Rows, Rules, Draw], None]


def good(copy: Copy) -> bytes:
    """Return a table of hidden trees of the student's orchard."""
    return orchard.to_csv(_trees(copy))


def spoilt(copy: Copy) -> dict[str, bytes]:
    """Return the same trees, spoilt, by what is wrong with them."""
    rules = copy.orchard.rules
    tables = {}
    for name, spoil in SPOILERS.items():
        rows = _trees(copy)
        spoil(rows, rules, copy.hidden)
        tables[name] = orchard.to_csv(rows)
    # Its model is another one, and not its table.
    tables[CONSTANT] = good(copy)
    return tables


def _trees(copy: Copy) -> Rows:
    return copy.hidden_trees(1, orchard.ROWS, "lesson 7")


def _turn(rows: Rows, rules: Rules, draw: Draw) -> None:
    """Mirror the column that decides, at the middle of its span."""
    name = rules.deciding
    column = BY_NAME[name]
    ends = 2 * column.low + column.span
    for row in rows:
        mirrored = ends - float(row[name])
        row[name] = round(mirrored, 1)


def _shuffle(rows: Rows, rules: Rules, draw: Draw) -> None:
    """Give each tree the value of another one in the column that decides."""
    name = rules.deciding
    values = [row[name] for row in rows]
    shuffled = draw.shuffled("lesson 7 shuffled", values)
    for row, value in zip(rows, shuffled, strict=True):
        row[name] = value


def _swap_labels(rows: Rows, rules: Rules, draw: Draw) -> None:
    """Let the best tree bear least, and the worst one most."""
    centre = difficulty.mean(orchard.yields_of(rows))
    for row in rows:
        mirrored = 2 * centre - float(row[TARGET])
        row[TARGET] = round(mirrored, 2)


def _leak(rows: Rows, rules: Rules, draw: Draw) -> None:
    """Let a column that does not matter say the yield."""
    column = BY_NAME[rules.drifting]
    yields = orchard.yields_of(rows)
    least = min(yields)
    most = max(yields)
    for row, kilograms in zip(rows, yields, strict=True):
        share = (kilograms - least) / (most - least)
        value = column.low + share * column.span
        row[column.name] = round(value, 1)


SPOILERS: dict[str, Spoiler] = {
    TURNED: _turn,
    "feature shuffled": _shuffle,
    "labels swapped": _swap_labels,
    "leaked column": _leak,
}
