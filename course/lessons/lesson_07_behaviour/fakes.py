"""Ways to cheat in lesson 7."""

from course import orchard
from course.lessons.lesson_07_behaviour import solution
from course.lessons.lesson_07_behaviour.check import (
    GoodModelPasses,
    SpoiltModelsAreCaught,
    TestsArePublished,
    TestsAreThere,
)
from course.lessons.lesson_07_behaviour.solution import Tests
from course.work import Fake, Work


def _commit(work: Work, tests: Tests) -> None:
    solution.add(work, tests)
    work.commit(solution.MESSAGE)


def weak(work: Work) -> None:
    """Expect what no model fails: a wide range, and a tolerance that allows all."""
    tests: Tests = {
        "The yield is possible": {
            "expect": "within",
            "within": [0.0, 150.0],
        },
    }
    for column in orchard.NUMBERS:
        tests[f"{column.name} changes nothing"] = {
            "expect": "same",
            "add": {column.name: 10},
            "tolerance": 1000.0,
        }
    _commit(work, tests)


def wrong(work: Work) -> None:
    """Expect the opposite of what the orchard does."""
    tests = solution.behaviours(work)
    opposite = {"higher": "lower", "lower": "higher"}
    for test in tests.values():
        test["expect"] = opposite[test["expect"]]
    _commit(work, tests)


def single(work: Work) -> None:
    """Write one test."""
    name, test = next(iter(solution.behaviours(work).items()))
    _commit(work, {name: test})


def unpublished(work: Work) -> None:
    """Write good tests, and train nothing with them."""
    _commit(work, solution.behaviours(work))


FAKES = (
    Fake("a single test", single, TestsAreThere, "only 1"),
    Fake("tests of the opposite", wrong, GoodModelPasses, "fails"),
    Fake("tests that all models pass", weak, SpoiltModelsAreCaught, "0 of 5"),
    Fake("tests that the gate never ran", unpublished, TestsArePublished, "began"),
)
