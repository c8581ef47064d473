"""The alert of lesson 10: what is asked for, and traffic in which it must (not) fire."""

from dataclasses import dataclass
from typing import Any

from course.copy import Copy

NAME = "TooFewPredictions"
RULES = "monitoring/prometheus/rules/course.yml"
CASES = "monitoring/prometheus/tests/course.yml"
WINDOW = 5
SAMPLES_A_MINUTE = 4
REQUESTS = 1000.0  # between two samples
TASK = "iris"
OTHER = "credit"


@dataclass(frozen=True)
class Traffic:
    """Requests for predictions of two tasks, and when the alert fires.

    Attributes:
        name: what happens, a phrase.
        shares: the share of the first task's requests that fail, minute by minute.
        firing: whether the alert fires at each of some minutes.
        replicas: how many answer.
        reasons: of how many kinds the failures are.
    """

    name: str
    shares: tuple[float, ...]
    firing: tuple[tuple[float, bool], ...]
    replicas: int = 1
    reasons: int = 1


def traffic(copy: Copy) -> list[Traffic]:
    """Return the hidden traffic of a student."""
    share = copy.personal.alert_percent / 100
    minutes = copy.personal.alert_minutes
    start = copy.hidden.number("lesson 10 start", 10, 20)
    length = minutes + copy.hidden.number("lesson 10 length", 8, 15)
    most = copy.hidden.number("lesson 10 most", 50, 90) / 100
    above = copy.hidden.number("lesson 10 above", 130, 160) / 100 * share
    below = copy.hidden.number("lesson 10 below", 50, 75) / 100 * share
    steady = WINDOW + minutes + 4
    pulse = (0.0,) * start + (most,) * length + (0.0,) * (WINDOW + 4)
    end = start + length
    return [
        Traffic("all is well", (0.0,) * 30, ((25, False),)),
        Traffic("just below the threshold", (below,) * 40, ((35, False),)),
        Traffic("just above the threshold", (above,) * 40, ((steady, True),), 1, 2),
        Traffic("a new fault", pulse, ((start + minutes - 0.5, False),)),
        Traffic("a fault that lasts", pulse, ((start + minutes + 2, True),), 2, 2),
        Traffic("a fault that is over", pulse, ((end + WINDOW + 2, False),)),
    ]


def case(each: Traffic, expression: str) -> dict[str, Any]:
    """Return a file of cases for promtool: when the alert fires, with which labels.

    Args:
        each: the traffic.
        expression: that of the alert, whose value must be a share.
    """
    tests = []
    labels = f'job="mlops-api", severity="warning", task="{TASK}"'
    alerts = f'ALERTS{{alertname="{NAME}",alertstate="firing"}}'
    one = [{"labels": f'ALERTS{{alertname="{NAME}",alertstate="firing",{labels}}}'}]
    for minute, fires in each.firing:
        at = f"{minute * 60:.0f}s"
        samples = [sample | {"value": 1} for sample in one] if fires else []
        tests.append({"expr": alerts, "eval_time": at, "exp_samples": samples})
        if fires:
            counted = {"expr": f"count(({expression}) < 1)", "eval_time": at}
            tests.append(counted | {"exp_samples": [{"labels": "{}", "value": 1}]})
    case = {"name": each.name, "interval": "15s", "input_series": _series(each)}
    case |= {"promql_expr_test": tests}
    return {
        "rule_files": ["course.yml"],
        "evaluation_interval": "15s",
        "tests": [case],
    }


def _series(each: Traffic) -> list[dict[str, str]]:
    series = []
    for place in range(each.replicas):
        labels = f'job="mlops-api",instance="{place}"'
        for task, shares in ((TASK, each.shares), (OTHER, (0.0,) * len(each.shares))):
            of_task = f'{labels},task="{task}"'
            good = [REQUESTS * (1 - share) for share in shares]
            name = f"prediction_duration_seconds_count{{{of_task}}}"
            series.append({"series": name, "values": _values(good)})
            for reason in ("invalid", "failed")[: each.reasons]:
                bad = [REQUESTS * share / each.reasons for share in shares]
                name = f'prediction_errors_total{{{of_task},reason="{reason}"}}'
                series.append({"series": name, "values": _values(bad)})
    return series


def _values(increases: list[float]) -> str:
    """Return the samples of a counter from its increase at each sample of each minute."""
    total = 0.0
    samples = ["0"]
    for increase in increases:
        for _ in range(SAMPLES_A_MINUTE):
            total += increase
            samples.append(f"{total:.3f}")
    return " ".join(samples)


def share(operator: str, bound: float) -> str:
    """Return an expression that is right, but for its comparison."""
    failed = "sum by (job, task) (rate(prediction_errors_total[5m]))"
    answered = "sum by (job, task) (rate(prediction_duration_seconds_count[5m]))"
    return f"{failed} / ({failed} + {answered}) {operator} {bound}"
