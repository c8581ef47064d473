"""Ways to cheat in lesson 5."""

from course.lessons.lesson_05_a_task import solution
from course.lessons.lesson_05_a_task.check import TableIsYours, TaskIsAsked
from course.orchard import Orchard
from course.personal import Personal
from course.work import Fake, Work

MESSAGE = "feat: estimate the yield of a tree"
LINE = """\
  orchard:
    folds: 5
    exclude: []
    candidates:
      dummy: {}
      linear_regression: {}
"""
CONSTANT = """\
  orchard:
    folds: 5
    exclude: []
    candidates:
      dummy: {}
"""


def friend(work: Work) -> None:
    """Publish a model of somebody else's orchard."""
    other = Orchard(Personal("another seed", "a-friend"))
    solution.write(work, solution.description())
    solution.add_section(work, solution.SECTION)
    solution.add_table(work, other.csv(1))
    work.publish(MESSAGE, solution.TASK)


def _without_thresholds(work: Work, section: str) -> None:
    solution.write(work, solution.description() | {"thresholds": {"r2": -1}})
    solution.add_section(work, section)
    solution.add_table(work, work.orchard.csv(1))
    work.publish(MESSAGE, solution.TASK)


def constant(work: Work) -> None:
    """Publish a model that always answers the same, which no threshold forbids."""
    _without_thresholds(work, CONSTANT)


def low(work: Work) -> None:
    """Publish a straight line, with a threshold below what it reaches."""
    _without_thresholds(work, LINE)


def straight(work: Work) -> None:
    """Publish a straight line, which the gate refuses."""
    solution.write(work, solution.description())
    solution.add_section(work, LINE)
    solution.add_table(work, work.orchard.csv(1))
    work.publish(MESSAGE, solution.TASK)


FAKES = (
    Fake("another's table", friend, TableIsYours, "other rows"),
    Fake("a constant model", constant, TaskIsAsked, "threshold of r2 is -1"),
    Fake("a threshold that is too low", low, TaskIsAsked, "threshold of r2 is -1"),
    Fake("a straight line", straight, TableIsYours, "was promoted"),
)
