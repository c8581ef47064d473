"""Checks of lesson 8: the column that drifted, and the model that learned from it."""

from course import orchard
from course.check import Check
from course.copy import Copy
from course.grading import history, predict, reproduce
from course.grading.result import Verdict, failed, passed
from course.lessons.lesson_05_a_task import table
from course.lessons.lesson_08_drift import psi
from course.orchard import Row

KEY = "drifted"
MODEL = f"deployment/models/{orchard.NAME}/model.onnx"
HIDDEN = 200
RESAMPLES = 500
# The share of resamples in which the new model must have the smaller error.
SURE = 0.975


class ColumnIsNamed(Check):
    """Look at `/drift/orchard`, and write the column as `drifted` into the answers."""

    name = "the column that drifted is named"

    def run(self, copy: Copy) -> Verdict:
        """Compare the answer with the column that moved farthest."""
        answer = copy.answers().get(KEY)
        if answer is None:
            return failed(f"course/answers.yaml has no answer for {KEY}")
        one, two = copy.orchard.season(1), copy.orchard.season(2)
        if str(answer).strip() != psi.most_drifted(one, two):
            return failed(
                f"the answer is {str(answer)[:60]}", "the column that moved farthest"
            )
        return passed(str(answer))


class Retrained(Check):
    """Add the table of season 2, commit, push, train, publish, pull."""

    name = "a model was promoted that learned from the second season"

    def run(self, copy: Copy) -> Verdict:
        """Compare the rows of the snapshot with those of the seed."""
        publication = table.publication(copy, 2)
        return passed(f"published by {publication.commit[:7]}")


class MadeAgain(Check):
    """Commit the table before you train, and publish what you trained."""

    name = "the model can be made again, byte by byte"
    requires = (Retrained,)

    def run(self, copy: Copy) -> Verdict:
        """Train and decide once more."""
        history.require_append_only(copy)
        publication = table.publication(copy, 2)
        again = reproduce.require_same(copy, publication, orchard.NAME)
        return passed(f"sha256 {again.sha256[:12]}")


class NewIsBetter(Check):
    """Train on the whole table of season 2: `course data --season 2` writes it."""

    name = "it is better than the old model in the new season"
    requires = (Retrained,)

    def run(self, copy: Copy) -> Verdict:
        """Compare the errors of both models on hidden trees of the second season."""
        publication = table.publication(copy, 2)
        purpose = str(copy.hidden.number("lesson 8", 0, 10**9))
        rows = copy.orchard.season(2, HIDDEN, purpose)
        olds = _squares(copy.content(MODEL, publication.parent), rows)
        news = _squares(copy.content(MODEL, publication.commit), rows)
        gains = [old - new for old, new in zip(olds, news, strict=True)]
        share = _share_of_gains(copy, gains)
        if share < SURE:
            return failed(
                f"its error is smaller in {share:.0%} of {RESAMPLES} resamples of hidden"
                " trees",
                f"in at least {SURE:.1%}",
            )
        return passed(f"its error is smaller in {share:.0%} of {RESAMPLES} resamples")


def _squares(model: bytes, rows: list[Row]) -> list[float]:
    """Return the squared error of a model at each row."""
    features = []
    for row in rows:
        features.append({name: row[name] for name in row if name != orchard.TARGET})
    squares = []
    for row, (answer,) in zip(rows, predict.predict(model, features), strict=True):
        squares.append((float(row[orchard.TARGET]) - answer) ** 2)
    return squares


def _share_of_gains(copy: Copy, gains: list[float]) -> float:
    """Return in which share of resamples of the rows the sum of the gains is positive."""
    stream = copy.hidden.stream("lesson 8 resamples")
    positive = 0
    for _ in range(RESAMPLES):
        total = sum(gains[int(stream.random() * len(gains))] for _ in gains)
        positive += total > 0
    return positive / RESAMPLES


CHECKS = (ColumnIsNamed, Retrained, MadeAgain, NewIsBetter)
