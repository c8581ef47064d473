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


def step(name: str) -> float:
    """Return what is added to a column: much, but it stays in the span."""
    return round(STEP * BY_NAME[name].span)


def place(name: str, share: float) -> float:
    """Return the value of a column at a share of its span."""
    column = BY_NAME[name]
    return round(column.low + share * column.span)


def behaviours(work: Work) -> dict[str, Any]:
    """Return the tests: of the column that decides, and of the one that turns round."""
    rules = work.orchard.rules
    more = "higher" if rules.direction > 0 else "lower"
    add = {rules.turning: step(rules.turning)}
    decided = {"expect": more, "add": {rules.deciding: step(rules.deciding)}}
    helps = {"expect": "higher", "given": {rules.switch: place(rules.switch, ON)}}
    harms = {"expect": "lower", "given": {rules.switch: place(rules.switch, OFF)}}
    limit = {"tolerance": TOLERANCE}
    return {
        f"More {rules.deciding} makes the yield {more}": decided | limit,
        f"{rules.turning} helps with much {rules.switch}": helps | {"add": add} | limit,
        f"{rules.turning} harms with little {rules.switch}": harms
        | {"add": dict(add)}
        | limit,
    }


def add(work: Work, tests: dict[str, Any]) -> None:
    """Give the task behavioural tests."""
    content = work.copy.yaml(task.FILE)
    task.write(work, content | {"behaviours": tests})


def solve(work: Work) -> None:
    """Add the tests, and let the gate run them."""
    add(work, behaviours(work))
    work.publish(MESSAGE, task.TASK)
