"""The solution of lesson 10."""

from typing import Any

import yaml

from course.lessons.lesson_10_alert import wanted
from course.work import Work

MESSAGE = "feat: alert when too few requests get a prediction"
LABELS = {"job": "mlops-api", "severity": "warning", "task": wanted.TASK}
ANNOTATIONS = {
    "summary": "Too few requests for {{ $labels.task }} get a prediction.",
    "description": "Of all requests for predictions, {{ $value | humanizePercentage }} got none.",
    "runbook_url": f"docs/runbooks.md#{wanted.NAME.lower()}",
}
RUNBOOK = f"""\
## {wanted.NAME}
**Means** that requests for predictions of a task get none, more than we accept.
1. The label `reason` of `prediction_errors_total` says what is wrong with them.
2. `invalid`: ask the client what changed. Everything else: read the log of the API.

"""
BEFORE = "## PredictionLogDrops\n"
ROW = "| `PredictionLogDrops` | warning"


def solve(work: Work) -> None:
    """Write the rule, its cases, its runbook, and name them where they are listed."""
    share = work.personal.alert_percent / 100
    write_rule(work, rule(wanted.share(">", share), work.personal.alert_minutes))
    write_cases(work, cases(share, work.personal.alert_minutes))
    describe(work)
    work.commit(MESSAGE)
    work.push()


def rule(expression: str, minutes: int) -> dict[str, Any]:
    """Return the alert with an expression and the time that it waits."""
    return {
        "alert": wanted.NAME,
        "expr": expression,
        "for": f"{minutes}m",
        "labels": {"severity": "warning"},
        "annotations": ANNOTATIONS,
    }


def write_rule(work: Work, content: dict[str, Any]) -> None:
    """Write the rule."""
    groups = {"groups": [{"name": "course", "rules": [content]}]}
    work.write(wanted.RULES, yaml.safe_dump(groups, sort_keys=False, width=200))


def write_cases(work: Work, tests: list[dict[str, Any]]) -> None:
    """Write the cases."""
    content = {
        "rule_files": ["../rules/course.yml"],
        "evaluation_interval": "1m",
        "tests": tests,
    }
    work.write(wanted.CASES, yaml.safe_dump(content, sort_keys=False, width=200))


def cases(share: float, minutes: int) -> list[dict[str, Any]]:
    """Return a case that fires, not before its time, and one that does not."""
    above = round(100 * share * 1.5, 2)
    below = round(100 * share * 0.5, 2)
    fires = steady("more than the threshold", above)
    text = ANNOTATIONS["description"].replace(
        "{{ $value | humanizePercentage }}", f"{above:.4g}%"
    )
    annotations = {
        "summary": ANNOTATIONS["summary"].replace("{{ $labels.task }}", wanted.TASK),
        "description": text,
        "runbook_url": ANNOTATIONS["runbook_url"],
    }
    expected = [{"exp_labels": LABELS, "exp_annotations": annotations}]
    fires["alert_rule_test"] = [
        {"eval_time": f"{minutes}m", "alertname": wanted.NAME},
        {
            "eval_time": f"{minutes + 3}m",
            "alertname": wanted.NAME,
            "exp_alerts": expected,
        },
    ]
    quiet = steady("less than the threshold", below)
    quiet["alert_rule_test"] = [{"eval_time": "30m", "alertname": wanted.NAME}]
    return [fires, quiet]


def steady(name: str, bad: float) -> dict[str, Any]:
    """Return a case in which so many of 100 requests a minute get no prediction."""
    labels = f'job="mlops-api",instance="a",task="{wanted.TASK}"'
    good = f"prediction_duration_seconds_count{{{labels}}}"
    errors = f'prediction_errors_total{{{labels},reason="invalid"}}'
    return {
        "name": name,
        "interval": "1m",
        "input_series": [
            {"series": good, "values": f"0+{100 - bad}x40"},
            {"series": errors, "values": f"0+{bad}x40"},
        ],
    }


def describe(work: Work) -> None:
    """Write the runbook, and name the alert and its file where they are listed."""
    work.edit("docs/runbooks.md", BEFORE, RUNBOOK + BEFORE)
    text = (
        f"| `{wanted.NAME}` | warning | too many requests of a task got no prediction |"
    )
    work.edit("docs/alerts-and-slos.md", ROW, f"{text}\n{ROW}")
    listed = "      - rules/machine.yml\n"
    work.edit(
        "monitoring/prometheus/kustomization.yaml",
        listed,
        f"      - rules/course.yml\n{listed}",
    )
