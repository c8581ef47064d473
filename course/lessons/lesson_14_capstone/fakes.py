"""Ways to cheat in the capstone."""

from typing import Any

from course.lessons.lesson_14_capstone import solution
from course.lessons.lesson_14_capstone.check import Described, Tested, Tracked
from course.lessons.lesson_14_capstone.project import KEY, PAGE
from course.work import Fake, Work


def borrowed(work: Work) -> None:
    """Hand in a task of the template."""
    work.write(PAGE, solution.TEXT)
    work.answer(**{KEY: "iris"})
    work.commit("docs: describe my project")


def one_word(work: Work) -> None:
    """Write headings, and nothing below them."""
    headings = "\n\n".join(
        ["# Wine", "## Question", "## Data", "## Result", "## Limits"]
    )
    solution.describe(work, {})
    work.write(PAGE, headings + "\n")
    work.commit("docs: describe my project")


def empty_tests() -> dict[str, Any]:
    """Return tests that any model passes."""
    tests = {}
    for name, _, example, *_ in solution.FEATURES[:3]:
        given = {"expect": "within", "given": {name: example}, "within": [0.0, 1.0]}
        tests[f"With the usual {name} it answers"] = given
    return tests


def cannot_fail(work: Work) -> None:
    """Write behavioural tests that no model fails, and train once."""
    solution.describe(work, empty_tests())
    work.publish("feat: tell which vineyard a wine is from", solution.TASK)


FAKES = (
    Fake("a task of the template", borrowed, Described, "iris is a task"),
    Fake("a page of headings", one_word, Described, "words"),
    Fake("tests that cannot fail", cannot_fail, Tested, "shuffled answers"),
    Fake("a single training", cannot_fail, Tracked, "1 training "),
)
