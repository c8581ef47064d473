"""The solution of lesson 11."""

import json
from typing import Any

from course.lessons.lesson_11_your_metric.wanted import SIGNS, Wanted
from course.work import Work

MESSAGE = "feat: count requests by their size"
METRICS = "app/observability/metrics.py"
PREDICT = "app/routes/predict.py"
BOARD = "monitoring/grafana/dashboard-configs/mlops-dashboard.json"
BEFORE_METRIC = "        self.confidence = TaskHistogram(\n"
METRIC = """\
        self.sized = self._counter(
            "{name}",
            "Counts {sentence}",
            "task",
        )
"""
AFTER_PREDICTION = "            predictions = model.predict(records)\n"
COUNT = """\
        if len(records) {sign} {bound}:
            self.services.metrics.sized.labels(tracked.task).inc({amount})
"""


def solve(work: Work) -> None:
    """Define the metric, count, show it, write the pages."""
    wanted = Wanted(work.personal)
    define(work, wanted)
    condition(work, SIGNS[wanted.comparison], wanted.bound, wanted.unit)
    show(work, wanted)
    work.run("python -m tools.reference")
    work.commit(MESSAGE)
    work.push()


def define(work: Work, wanted: Wanted) -> None:
    """Define the counter."""
    name = wanted.sample.removesuffix("_total")
    text = METRIC.format(name=name, sentence=wanted.sentence)
    work.edit(METRICS, BEFORE_METRIC, text + BEFORE_METRIC)


def condition(work: Work, sign: str, bound: int, unit: str) -> None:
    """Count where there are predictions."""
    amount = "len(records)" if unit == "records" else ""
    text = COUNT.format(sign=sign, bound=bound, amount=amount)
    work.edit(PREDICT, AFTER_PREDICTION, AFTER_PREDICTION + text)


def show(work: Work, wanted: Wanted) -> None:
    """Add a panel below all others."""
    board = json.loads(work.read(BOARD))
    bottom = max(
        each["gridPos"]["y"] + each["gridPos"]["h"] for each in board["panels"]
    )
    number = max(each["id"] for each in board["panels"]) + 1
    board["panels"].append(panel(wanted, number, bottom))
    work.write(BOARD, json.dumps(board, indent=2, ensure_ascii=False) + "\n")


def panel(wanted: Wanted, number: int, bottom: int) -> dict[str, Any]:
    """Return the panel."""
    source = {"type": "prometheus", "uid": "prometheus"}
    query = f'sum by (task) (rate({wanted.sample}{{task=~"$task"}}[$__rate_interval]))'
    return {
        "id": number,
        "type": "timeseries",
        "title": f"Sized {wanted.unit}",
        "description": f"A second, {wanted.sentence}.",
        "datasource": source,
        "gridPos": {"x": 0, "y": bottom, "w": 12, "h": 8},
        "fieldConfig": {
            "defaults": {
                "unit": "short",
                "noValue": "No requests of this size in this time range.",
            },
            "overrides": [],
        },
        "targets": [
            {
                "refId": "A",
                "datasource": source,
                "expr": query,
                "legendFormat": "{{task}}",
            }
        ],
    }
