"""Checks of lesson 5: the table, the task, the model and the API's answers."""

import json
import math
from typing import Any

from course import difficulty, orchard
from course.check import Check
from course.copy import Copy
from course.grading import history, predict, probe, reproduce
from course.grading.probe import Api
from course.grading.result import Verdict, failed, passed
from course.lessons.lesson_05_a_task import table
from course.orchard import Row

TASK = orchard.NAME
FILE = f"pipeline/tasks/{TASK}.yaml"
MODEL = f"deployment/models/{TASK}/model.onnx"
HIDDEN = 200
ASKED = 20
# A few hidden rows less lucky than the hold-out are no reason to refuse a model.
SLACK = 0.08
# The API answers with more digits than a float32 has.
NEAR = 1e-4
# Of the draw of the hidden trees.
PURPOSE = "lesson 5"
# What the description must say.
WANTED = {
    "kind": "regression",
    "target": orchard.TARGET,
    "metric": "rmse",
}


class TableIsYours(Check):
    """Write your table with `course -- data`, then add it: see the lesson's steps."""

    name = "a model was promoted that learned from your orchard"

    def run(self, copy: Copy) -> Verdict:
        """Compare the rows of the snapshot with those of the seed."""
        publication = table.publication(copy)
        return passed(f"{orchard.ROWS} rows, published by {publication.commit[:7]}")


class TaskIsAsked(Check):
    """Describe the task as the lesson asks: target, metric and threshold."""

    name = "the task asks for what the lesson says"
    requires = (TableIsYours,)

    def run(self, copy: Copy) -> Verdict:
        """Look at the description that the model was trained with."""
        content = copy.yaml(FILE, table.publication(copy).source)
        for key, expected in WANTED.items():
            seen = _name(content.get(key))
            if seen != expected:
                return failed(f"its {key} is {seen}", expected)
        limit = _threshold(content)
        if limit < difficulty.THRESHOLD_R2:
            return failed(
                f"its threshold of r2 is {limit:g}",
                f"at least {difficulty.THRESHOLD_R2}",
            )
        return passed(f"rmse, and an r2 of at least {limit:g}")


def _threshold(content: dict[str, Any]) -> float:
    """Return the least r2 that the task demands; minus infinity if it demands none."""
    thresholds = content.get("thresholds")
    if not isinstance(thresholds, dict):
        return -math.inf
    limit = thresholds.get("r2")
    if not isinstance(limit, int | float):
        return -math.inf
    return float(limit)


def _name(part: Any) -> Any:
    """Return the name of a part of the description that has one, or the part."""
    if isinstance(part, dict):
        return part.get("name")
    return part


class ModelIsMadeAgain(Check):
    """Commit YAML and table, push, train, publish, and pull, in this order."""

    name = "the model can be made again, byte by byte"
    requires = (TaskIsAsked,)

    def run(self, copy: Copy) -> Verdict:
        """Train and decide once more."""
        history.require_append_only(copy)
        again = reproduce.require_same(copy, table.publication(copy), TASK)
        return passed(f"sha256 {again.sha256[:12]}")


class ModelIsGood(Check):
    """Try candidates that can bend, such as `gradient_boosting`, and more trees."""

    name = "the model knows trees that it has never seen"
    requires = (ModelIsMadeAgain,)

    def run(self, copy: Copy) -> Verdict:
        """Compare its answers to hidden rows with their yields."""
        trees = copy.hidden_trees(1, HIDDEN, PURPOSE)
        model = copy.content(MODEL, table.publication(copy).commit)
        explained = _explained(model, trees)
        if explained < difficulty.THRESHOLD_R2 - SLACK:
            return failed(f"its r2 on hidden rows is {explained:.2f}")
        return passed(f"its r2 on {HIDDEN} hidden rows is {explained:.2f}")


def _explained(model: bytes, trees: list[Row]) -> float:
    """Return which share of the yields' variance a model explains."""
    answers = predict.predict(model, [orchard.features_of(tree) for tree in trees])
    truth = orchard.yields_of(trees)
    squares = []
    for kilograms, (answer,) in zip(truth, answers, strict=True):
        error = kilograms - answer
        squares.append(error * error)
    return 1 - difficulty.mean(squares) / difficulty.variance(truth)


class ApiAnswers(Check):
    """Push the table's features and the model as the pipeline published them."""

    name = "the API answers about a tree as the model in service does"
    requires = (ModelIsMadeAgain,)

    def run(self, copy: Copy) -> Verdict:
        """Start the API, and compare its answers with those of the ONNX file."""
        trees = copy.hidden_trees(1, ASKED, PURPOSE)
        rows = [orchard.features_of(tree) for tree in trees]
        answers = predict.predict(copy.content(MODEL), rows)
        with probe.api(copy) as api:
            for row, (right,) in zip(rows, answers, strict=True):
                fault = _fault(api, row, right)
                if fault:
                    return failed(fault)
        return passed(f"{ASKED} answers are the same")


def _fault(api: Api, row: Row, right: float) -> str:
    """Return what is wrong with the answer to a row; empty if it is right."""
    status, text = api.post(f"/predict/{TASK}", row)
    if status != 200:
        return f"it answers with {status}: {text[:200]}"
    answer = float(json.loads(text)["prediction"])
    if abs(answer - right) > NEAR:
        return f"it answers {answer:.4f} where the file says {right:.4f}"
    return ""


CHECKS = (TableIsYours, TaskIsAsked, ModelIsMadeAgain, ModelIsGood, ApiAnswers)
