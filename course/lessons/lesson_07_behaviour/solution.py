"""The solution of lesson 7."""

from typing import Any

from course.lessons.lesson_05_a_task import solution as task
from course.orchard import BY_NAME
from course.work import Work

MESSAGE = "test: say how a model of the orchard behaves"
# In shares of a span: what is added, and where the switch is clearly on or off.
STEP = 0.3
ON, OFF = 0.85, 0.15
# In kilograms, above what noise does to a prediction.
TOLERANCE = 2.0
# A behavioural test by its sentence.
Tests = dict[str, dict[str, Any]]


def step(name: str) -> float:
    """Return what is added to a column: much, but it stays in the span."""
    return round(STEP * BY_NAME[name].span)


def place(name: str, share: float) -> float:
    """Return the value of a column at a share of its span."""
    column = BY_NAME[name]
    return round(column.low + share * column.span)


def behaviours(work: Work) -> Tests:
    """Return the tests: of the column that decides, and of the one that turns round."""
    rules = work.orchard.rules
    deciding = rules.deciding
    turning = rules.turning
    switch = rules.switch
    more = "higher" if rules.direction > 0 else "lower"
    return {
        f"More {deciding} makes the yield {more}": {
            "expect": more,
            "add": {deciding: step(deciding)},
            "tolerance": TOLERANCE,
        },
        f"{turning} helps with much {switch}": {
            "expect": "higher",
            "given": {switch: place(switch, ON)},
            "add": {turning: step(turning)},
            "tolerance": TOLERANCE,
        },
        f"{turning} harms with little {switch}": {
            "expect": "lower",
            "given": {switch: place(switch, OFF)},
            "add": {turning: step(turning)},
            "tolerance": TOLERANCE,
        },
    }


def add(work: Work, tests: Tests) -> None:
    """Give the task behavioural tests."""
    content = work.copy.yaml(task.FILE)
    content["behaviours"] = tests
    task.write(work, content)


def solve(work: Work) -> None:
    """Add the tests, and let the gate run them."""
    add(work, behaviours(work))
    work.publish(MESSAGE, task.TASK)
