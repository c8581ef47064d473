"""Checks of lesson 5: the table, the task, the model and the API's answers."""

import json
import math
from typing import Any

from course import difficulty, orchard
from course.check import Check
from course.copy import Copy
from course.grading import history, predict, probe, reproduce
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
        content: dict[str, Any] = copy.yaml(FILE, table.publication(copy).source)
        wanted = {
            "kind": (content.get("kind"), "regression"),
            "target": (_name(content.get("target")), orchard.TARGET),
            "metric": (_name(content.get("metric")), "rmse"),
        }
        for key, (seen, expected) in wanted.items():
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
    limit = thresholds.get("r2") if isinstance(thresholds, dict) else None
    return float(limit) if isinstance(limit, int | float) else -math.inf


def _name(part: Any) -> Any:
    return part.get("name") if isinstance(part, dict) else part


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
        rows = _hidden(copy, HIDDEN)
        model = copy.content(MODEL, table.publication(copy).commit)
        answers = predict.predict(model, [_features(row) for row in rows])
        truth = [float(row[orchard.TARGET]) for row in rows]
        errors = [yields - row[0] for yields, row in zip(truth, answers, strict=True)]
        squared = difficulty.mean([error * error for error in errors])
        explained = 1 - squared / difficulty.variance(truth)
        if explained < difficulty.THRESHOLD_R2 - SLACK:
            return failed(f"its r2 on hidden rows is {explained:.2f}")
        return passed(f"its r2 on {HIDDEN} hidden rows is {explained:.2f}")


class ApiAnswers(Check):
    """Push the table's features and the model as the pipeline published them."""

    name = "the API answers about a tree as the model in service does"
    requires = (ModelIsMadeAgain,)

    def run(self, copy: Copy) -> Verdict:
        """Start the API, and compare its answers with those of the ONNX file."""
        rows = [_features(row) for row in _hidden(copy, ASKED)]
        expected = predict.predict(copy.content(MODEL), rows)
        with probe.api(copy) as api:
            for row, (right,) in zip(rows, expected, strict=True):
                status, text = api.post(f"/predict/{TASK}", row)
                if status != 200:
                    return failed(f"it answers with {status}: {text[:200]}")
                answer = float(json.loads(text)["prediction"])
                if abs(answer - right) > NEAR:
                    return failed(
                        f"it answers {answer:.4f} where the file says {right:.4f}"
                    )
        return passed(f"{ASKED} answers are the same")


def _hidden(copy: Copy, count: int) -> list[Row]:
    purpose = str(copy.hidden.number("lesson 5", 0, 10**9))
    return copy.orchard.season(1, count, purpose)


def _features(row: Row) -> Row:
    return {name: value for name, value in row.items() if name != orchard.TARGET}


CHECKS = (TableIsYours, TaskIsAsked, ModelIsMadeAgain, ModelIsGood, ApiAnswers)
