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
        given = str(answer).strip()
        first = copy.orchard.season(1)
        second = copy.orchard.season(2)
        if given != psi.most_drifted(first, second):
            return failed(
                f"the answer is {given[:60]}",
                "the column that moved farthest",
            )
        return passed(given)


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
        trees = copy.hidden_trees(2, HIDDEN, "lesson 8")
        olds = _squares(copy.content(MODEL, publication.parent), trees)
        news = _squares(copy.content(MODEL, publication.commit), trees)
        gains = [old - new for old, new in zip(olds, news, strict=True)]
        share = _share_of_gains(copy, gains)
        seen = f"its error is smaller in {share:.0%} of {RESAMPLES} resamples"
        if share < SURE:
            return failed(f"{seen} of hidden trees", f"in at least {SURE:.1%}")
        return passed(seen)


def _squares(model: bytes, trees: list[Row]) -> list[float]:
    """Return the squared error of a model at each tree."""
    rows = [orchard.features_of(tree) for tree in trees]
    answers = predict.predict(model, rows)
    squares = []
    for right, (answer,) in zip(orchard.yields_of(trees), answers, strict=True):
        error = right - answer
        squares.append(error * error)
    return squares


def _share_of_gains(copy: Copy, gains: list[float]) -> float:
    """Return in which share of resamples of the trees the sum of the gains is positive."""
    stream = copy.hidden.stream("lesson 8 resamples")
    positive = 0
    for _ in range(RESAMPLES):
        total = 0.0
        for _ in gains:
            place = int(stream.random() * len(gains))
            total += gains[place]
        if total > 0:
            positive += 1
    return positive / RESAMPLES


CHECKS = (ColumnIsNamed, Retrained, MadeAgain, NewIsBetter)
