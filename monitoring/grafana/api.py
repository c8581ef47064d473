"""Sections of the API's traffic: what is asked, how fast it is answered, what goes
wrong.
"""

from grafana_foundation_sdk.models import units

from monitoring.grafana.board import Section
from monitoring.grafana.data import VERDICT
from monitoring.grafana.panels import graph, number, stacked
from monitoring.grafana.parts import GREEN, RED, YELLOW, About, AnyPanel, Query
from monitoring.grafana.promql import RATE, TASK, quantile
from monitoring.grafana.reasons import NO_API, NO_DRIFT, NO_TRAFFIC

# Paths of predictions; the objectives in monitoring/prometheus/rules are about the
# same.
PREDICT = 'route=~"/predict.*|/v2/models/.*/infer"'
# What the objectives allow: 0.5 % failed requests, 100 ms for 99 % of the predictions.
FAILED, SLOW = 0.005, 0.1


def now() -> Section:
    """Return the figures to look at first."""
    requests = f"sum(rate(http_requests_total[{RATE}]))"
    failed = f'sum(rate(http_requests_total{{status=~"5.."}}[{RATE}])) or vector(0)'
    up = number(
        About(
            "Replicas of the API",
            "How many answer Prometheus. None: nobody gets a prediction.",
            units.Short,
            NO_API,
        ),
        Query('sum(up{job="mlops-api"})', "up"),
        steps=((None, RED), (1, GREEN)),
    )
    pace = number(
        About(
            "Requests",
            "Answered a second, over all paths.",
            units.RequestsPerSecond,
            NO_TRAFFIC,
        ),
        Query(requests, "requests"),
    )
    errors = number(
        About(
            "Failed requests",
            "Share that ended in a 5xx; a client's own faults are not in it. The"
            " objective allows 0.5 %.",
            units.PercentUnit,
            NO_TRAFFIC,
        ),
        Query(f"({failed}) / {requests}", "failed"),
        steps=((None, GREEN), (FAILED / 2, YELLOW), (FAILED, RED)),
    )
    latency = number(
        About(
            "Prediction p99",
            "99 of 100 requests for predictions are answered within this. The"
            " objective: 100 ms.",
            units.Seconds,
            NO_TRAFFIC,
        ),
        Query(quantile(0.99, "http_request_duration_seconds", PREDICT), "p99"),
        steps=((None, GREEN), (SLOW / 2, YELLOW), (SLOW, RED)),
    )
    return "Now", [up, pace, errors, latency, *_judged()]


def _judged() -> list[AnyPanel]:
    drift = number(
        About(
            "Drift",
            "Whether requests still look like the data of the training. Red: a reason"
            " to retrain.",
            units.NoUnit,
            NO_DRIFT,
        ),
        Query(f"max by (task) (drift_detected{{{TASK}}})", "{{task}}"),
        words=VERDICT,
    )
    alerts = number(
        About(
            "Alerts",
            "Alerts that fire now, as Prometheus lists them at its page Alerts.",
            units.Short,
            "No figures of alerts: does Prometheus run with its rules?",
        ),
        Query(
            'count(ALERTS{alertstate="firing", alertname!="Watchdog"}) or vector(0)',
            "firing",
        ),
        steps=((None, GREEN), (1, RED)),
    )
    return [drift, alerts]


def traffic() -> Section:
    """Return what is asked, and how it is answered."""
    status = graph(
        About(
            "Requests by status",
            "2xx are answers, 4xx what a client did wrong, 5xx what went wrong here.",
            units.RequestsPerSecond,
            NO_TRAFFIC,
        ),
        Query(f"sum by (status) (rate(http_requests_total[{RATE}]))", "{{status}}"),
    )
    route = graph(
        About(
            "Requests by path",
            "Which paths are used.",
            units.RequestsPerSecond,
            NO_TRAFFIC,
        ),
        Query(f"sum by (route) (rate(http_requests_total[{RATE}]))", "{{route}}"),
    )
    seconds = "http_request_duration_seconds"
    latency = graph(
        About(
            "Time to answer predictions",
            "From the request to the answer. The objective is 100 ms for 99 of 100.",
            units.Seconds,
            NO_TRAFFIC,
        ),
        *(
            Query(quantile(share, seconds, PREDICT), name)
            for share, name in ((0.5, "p50"), (0.95, "p95"), (0.99, "p99"))
        ),
        steps=((None, GREEN), (SLOW, RED)),
    )
    work = graph(
        About(
            "Time of the model itself",
            "Validation and inference alone, 99 of 100 within this. What is left of the"
            " time to answer is the network's and the queue's.",
            units.Seconds,
            NO_TRAFFIC,
        ),
        Query(
            quantile(0.99, "prediction_duration_seconds", TASK, "task"), "{{task}} p99"
        ),
    )
    return "Traffic", [stacked(status), stacked(route), latency, work, *_trouble()]


def _trouble() -> list[AnyPanel]:
    asked = (  # a task that does not exist is not among the chosen
        'task=~"$task|unknown"'
    )
    wrong = graph(
        About(
            "Predictions refused",
            "Requests for predictions without one, by the reason. invalid: the record"
            " breaks a rule; not_ready and failed are faults of ours.",
            units.RequestsPerSecond,
            "Nothing was refused in this time.",
        ),
        Query(
            f"sum by (task, reason) (rate(prediction_errors_total{{{asked}}}[{RATE}]))",
            "{{task}}: {{reason}}",
        ),
    )
    load = graph(
        About(
            "Load",
            "Requests that are being answered, and those a second that were refused for"
            " overload.",
            units.Short,
            NO_API,
        ),
        Query("sum(http_requests_in_progress)", "in progress"),
        Query(f"sum(rate(http_requests_shed_total[{RATE}]))", "refused a second"),
    )
    return [stacked(wrong), load]


def log() -> Section:
    """Return how the log of predictions keeps up."""
    waiting = graph(
        About(
            "Predictions waiting for the log",
            "They are written in batches; many for long: the disk is slow.",
            units.Short,
            NO_API,
        ),
        Query("sum(prediction_log_pending)", "waiting"),
    )
    written = graph(
        About(
            "Predictions logged and lost",
            "Lost: the queue was full, or the database could not be written. Drift"
            " misses these.",
            units.CountsPerSecond,
            NO_API,
        ),
        Query(f"sum(rate(prediction_log_rows_total[{RATE}]))", "logged"),
        Query(
            f"sum by (reason) (rate(prediction_log_dropped_total[{RATE}]))",
            "lost: {{reason}}",
        ),
    )
    return "Prediction log", [waiting, written]
