"""Ways to cheat in lesson 6."""

from course import orchard
from course.lessons.lesson_05_a_task import solution as task
from course.lessons.lesson_06_bad_data import solution
from course.lessons.lesson_06_bad_data.check import BadRowsAreRefused, GoodRowsPass
from course.work import Fake, Work

WIDEST = 10**9


def _set(work: Work, ranges: dict[str, tuple[float, float]]) -> None:
    content = work.copy.yaml(task.FILE)
    solution.set_ranges(content, ranges)
    task.write(work, content)
    work.commit(solution.MESSAGE)


def nothing(work: Work) -> None:
    """Set ranges in which everything lies."""
    _set(work, {column.name: (-WIDEST, WIDEST) for column in orchard.NUMBERS})


def seen(work: Work) -> None:
    """Set the ranges to the values of one's own table."""
    rows = work.orchard.season(1)
    ranges: dict[str, tuple[float, float]] = {}
    for column in orchard.NUMBERS:
        values = [float(row[column.name]) for row in rows]
        ranges[column.name] = (min(values), max(values))
    _set(work, ranges)


def everything(work: Work) -> None:
    """Set ranges that no row of another orchard fits."""
    ranges: dict[str, tuple[float, float]] = {}
    for column in orchard.NUMBERS:
        example = column.low + column.span // 2
        ranges[column.name] = (example, example)
    _set(work, ranges)


FAKES = (
    Fake("no ranges at all", nothing, BadRowsAreRefused, "another unit"),
    Fake("the ranges of one table", seen, GoodRowsPass, "a good row is refused"),
    Fake("ranges that refuse all", everything, GoodRowsPass, "a good row is refused"),
)
