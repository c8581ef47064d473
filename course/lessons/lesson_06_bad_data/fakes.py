"""Ways to cheat in lesson 6."""

from course import orchard
from course.lessons.lesson_06_bad_data.check import BadRowsAreRefused, GoodRowsPass
from course.lessons.lesson_06_bad_data.solution import Ranges, set_ranges
from course.work import Fake, Work

WIDEST = 10**9


def nothing(work: Work) -> None:
    """Set ranges in which everything lies."""
    ranges: Ranges = {}
    for column in orchard.NUMBERS:
        ranges[column.name] = (-WIDEST, WIDEST)
    set_ranges(work, ranges)


def seen(work: Work) -> None:
    """Set the ranges to the values of one's own table."""
    rows = work.orchard.season(1)
    ranges: Ranges = {}
    for column in orchard.NUMBERS:
        values = [float(row[column.name]) for row in rows]
        ranges[column.name] = (min(values), max(values))
    set_ranges(work, ranges)


def everything(work: Work) -> None:
    """Set ranges that no row of another orchard fits."""
    ranges: Ranges = {}
    for column in orchard.NUMBERS:
        example = column.low + column.span // 2
        ranges[column.name] = (example, example)
    set_ranges(work, ranges)


FAKES = (
    Fake("no ranges at all", nothing, BadRowsAreRefused, "another unit"),
    Fake("the ranges of one table", seen, GoodRowsPass, "a good row is refused"),
    Fake("ranges that refuse all", everything, GoodRowsPass, "a good row is refused"),
)
