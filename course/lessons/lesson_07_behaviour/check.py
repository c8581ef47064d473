"""Checks of lesson 7: behavioural tests that a good model passes and spoilt ones do not."""

import json
from functools import lru_cache
from typing import Any

from course import orchard
from course.check import Check
from course.copy import Copy
from course.grading import history, mutate
from course.grading.result import Verdict, failed, passed
from course.lessons.lesson_07_behaviour import tables

TASK = orchard.NAME
FILE = f"pipeline/tasks/{TASK}.yaml"
LEAST_TESTS = 3
LEAST_CAUGHT = 4
GOOD = "good"
Content = dict[str, Any]
# What each test says, by the name of the model.
Results = dict[str, list[Content]]


def behaviours(copy: Copy, commit: str = "HEAD") -> Content:
    """Return the behavioural tests of the task in a commit."""
    tests = copy.yaml(FILE, commit).get("behaviours")
    if not isinstance(tests, dict):
        return {}
    return tests


@lru_cache(maxsize=1)
def results(copy: Copy) -> Results:
    """Return what the tests say about a good model and about the spoilt ones."""
    models = tables.spoilt(copy)
    models[GOOD] = tables.good(copy)
    settings = {tables.CONSTANT: mutate.CONSTANT}
    return mutate.behaviours(copy, TASK, models, settings)


def survivors(copy: Copy) -> list[str]:
    """Return the spoilt models that pass every test."""
    names = []
    for name, tests in results(copy).items():
        fails = [test for test in tests if not test["passed"]]
        if name != GOOD and not fails:
            names.append(name)
    return names


class TestsAreThere(Check):
    """Add `behaviours:` to the task's YAML: at least three sentences with their tests."""

    name = "the task has behavioural tests"

    def run(self, copy: Copy) -> Verdict:
        """Count them."""
        count = len(behaviours(copy))
        if count < LEAST_TESTS:
            return failed(f"it has only {count}", f"at least {LEAST_TESTS}")
        return passed(f"{count} tests")


class GoodModelPasses(Check):
    """Weaken the test until your model passes, but not so far that every model does."""

    name = "a good model passes all of them"
    requires = (TestsAreThere,)

    def run(self, copy: Copy) -> Verdict:
        """Train on hidden trees of the orchard and on spoilt ones, and run the tests."""
        tests = results(copy)[GOOD]
        for test in tests:
            if not test["passed"]:
                return failed(f'"{test["name"]}" fails: {test["detail"]}')
        if len(tests) < len(behaviours(copy)):
            return failed("a test names a column that the model does not have")
        return passed(f"{len(tests)} tests")


class SpoiltModelsAreCaught(Check):
    """Say what must change when a column that decides grows, by more than the noise."""

    name = "spoilt models are caught"
    requires = (GoodModelPasses,)

    def run(self, copy: Copy) -> Verdict:
        """Count the spoilt models that fail a test."""
        missed = survivors(copy)
        count = len(results(copy)) - 1
        caught = count - len(missed)
        if caught < LEAST_CAUGHT:
            return failed(
                f"{caught} of {count}; these pass all tests: {', '.join(missed)}",
                f"at least {LEAST_CAUGHT} fail a test",
            )
        return passed(f"{caught} of {count}")


class DirectionIsTested(Check):
    """Find the column that decides most, and whether more of it is better or worse."""

    name = "a model that learned the wrong direction is among them"
    requires = (SpoiltModelsAreCaught,)

    def run(self, copy: Copy) -> Verdict:
        """Look at the model whose direction is turned."""
        if tables.TURNED in survivors(copy):
            return failed("it passes all tests", "a test about the direction fails")
        return passed("it fails a test")


class TestsArePublished(Check):
    """Commit, push, train orchard, publish and pull: the gate runs the tests, too."""

    name = "the gate has run them"
    requires = (TestsAreThere,)

    def run(self, copy: Copy) -> Verdict:
        """Look for a training of a commit with these tests, and at its checks."""
        wanted = behaviours(copy)
        for publication in history.publications(copy):
            run = history.training(copy, publication, TASK)
            if run and behaviours(copy, publication.source) == wanted:
                return _in_gate(run, wanted, publication.commit)
        return failed("no training in the history began with these tests")


def _in_gate(run: Content, wanted: Content, commit: str) -> Verdict:
    """Return whether the tests are among what the gate checked, and passed."""
    checks = json.loads(run["tags"]["gate.checks"])
    successful = {check["name"] for check in checks if check["passed"]}
    for name in wanted:
        if name not in successful:
            return failed(f'"{name}" did not pass in {commit[:7]}')
    return passed(f"{len(wanted)} of the gate's {len(checks)} checks, in {commit[:7]}")


CHECKS = (
    TestsAreThere,
    GoodModelPasses,
    SpoiltModelsAreCaught,
    DirectionIsTested,
    TestsArePublished,
)
