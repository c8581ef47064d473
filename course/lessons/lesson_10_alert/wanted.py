"""The alert of lesson 10: what is asked for, and traffic in which it must (not) fire."""

from dataclasses import dataclass
from typing import Any

from course.copy import Copy

NAME = "TooFewPredictions"
RULES = "monitoring/prometheus/rules/course.yml"
CASES = "monitoring/prometheus/tests/course.yml"
WINDOW = 5
SAMPLES_A_MINUTE = 4
INTERVAL = "15s"
REQUESTS = 1000.0  # between two samples
TASK = "iris"
OTHER = "credit"
REASONS = ("invalid", "failed")
Series = dict[str, str]


@dataclass(frozen=True)
class Traffic:
    """Requests for predictions of two tasks, and when the alert fires.

    Attributes:
        name: what happens, a phrase.
        shares: the share of the first task's requests that fail, minute by minute.
        minute: when the alert is looked at.
        fires: whether it fires then.
        replicas: how many answer.
        reasons: of how many kinds the failures are.
    """

    name: str
    shares: list[float]
    minute: float
    fires: bool
    replicas: int = 1
    reasons: int = 1


def traffic(copy: Copy) -> list[Traffic]:
    """Return the hidden traffic of a student."""
    return [*_steady(copy), *_pulses(copy)]


def _steady(copy: Copy) -> list[Traffic]:
    """Return traffic of which the same share fails all the time."""
    share = copy.personal.alert_percent / 100
    above = copy.hidden.number("lesson 10 above", 130, 160) / 100 * share
    below = copy.hidden.number("lesson 10 below", 50, 75) / 100 * share
    return [
        Traffic(
            name="all is well",
            shares=[0.0] * 30,
            minute=25,
            fires=False,
        ),
        Traffic(
            name="just below the threshold",
            shares=[below] * 40,
            minute=35,
            fires=False,
        ),
        Traffic(
            name="just above the threshold",
            shares=[above] * 40,
            minute=WINDOW + copy.personal.alert_minutes + 4,
            fires=True,
            reasons=2,
        ),
    ]


def _pulses(copy: Copy) -> list[Traffic]:
    """Return traffic of which many fail for a while: too briefly, long, and before."""
    minutes = copy.personal.alert_minutes
    start = copy.hidden.number("lesson 10 start", 10, 20)
    length = minutes + copy.hidden.number("lesson 10 length", 8, 15)
    most = copy.hidden.number("lesson 10 most", 50, 90) / 100
    pulse = [0.0] * start + [most] * length + [0.0] * (WINDOW + 4)
    return [
        Traffic(
            name="a new fault",
            shares=pulse,
            minute=start + minutes - 0.5,
            fires=False,
        ),
        Traffic(
            name="a fault that lasts",
            shares=pulse,
            minute=start + minutes + 2,
            fires=True,
            replicas=2,
            reasons=2,
        ),
        Traffic(
            name="a fault that is over",
            shares=pulse,
            minute=start + length + WINDOW + 2,
            fires=False,
        ),
    ]


def case(each: Traffic, expression: str) -> dict[str, Any]:
    """Return a file of cases for promtool: when the alert fires, with which labels.

    Args:
        each: the traffic.
        expression: that of the alert, whose value must be a share.
    """
    alerts = f'alertname="{NAME}",alertstate="firing"'
    labels = f'job="mlops-api",severity="warning",task="{TASK}"'
    expected = []
    if each.fires:
        expected.append(f"ALERTS{{{alerts},{labels}}}")
    tests = [_test(each, f"ALERTS{{{alerts}}}", expected)]
    if each.fires:
        tests.append(_test(each, f"count(({expression}) < 1)", ["{}"]))
    return {
        "rule_files": ["course.yml"],
        "evaluation_interval": INTERVAL,
        "tests": [
            {
                "name": each.name,
                "interval": INTERVAL,
                "input_series": _series(each),
                "promql_expr_test": tests,
            }
        ],
    }


def _test(each: Traffic, expression: str, expected: list[str]) -> dict[str, Any]:
    """Return a test: the value of an expression, which is 1 for the expected labels."""
    return {
        "expr": expression,
        "eval_time": f"{each.minute * 60:.0f}s",
        "exp_samples": [{"labels": labels, "value": 1} for labels in expected],
    }


def _series(each: Traffic) -> list[Series]:
    """Return the counters of all replicas: one task fails, the other one does not."""
    well = [0.0] * len(each.shares)
    series = []
    for place in range(each.replicas):
        labels = f'job="mlops-api",instance="{place}"'
        for task, shares in {TASK: each.shares, OTHER: well}.items():
            series += _of_task(f'{labels},task="{task}"', shares, each.reasons)
    return series


def _of_task(labels: str, shares: list[float], reasons: int) -> list[Series]:
    """Return the counters of a task: one of predictions, and one for each reason."""
    good = [REQUESTS * (1 - share) for share in shares]
    bad = [REQUESTS * share / reasons for share in shares]
    series = [_counter(f"prediction_duration_seconds_count{{{labels}}}", good)]
    for reason in REASONS[:reasons]:
        name = f'prediction_errors_total{{{labels},reason="{reason}"}}'
        series.append(_counter(name, bad))
    return series


def _counter(name: str, increases: list[float]) -> Series:
    """Return a counter from its increase at each sample of each minute."""
    total = 0.0
    samples = ["0"]
    for increase in increases:
        for _ in range(SAMPLES_A_MINUTE):
            total += increase
            samples.append(f"{total:.3f}")
    return {"series": name, "values": " ".join(samples)}


def share(operator: str, bound: float) -> str:
    """Return an expression that is right, but for its comparison."""
    failed = "sum by (job, task) (rate(prediction_errors_total[5m]))"
    answered = "sum by (job, task) (rate(prediction_duration_seconds_count[5m]))"
    return f"{failed} / ({failed} + {answered}) {operator} {bound}"
