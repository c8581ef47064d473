"""Sections of what goes in and comes out: predictions, and drift."""

from grafana_foundation_sdk.models import units

from core.distributions import LEAST, MOST
from monitoring.grafana.board import Section
from monitoring.grafana.panels import bars, graph, stacked, states
from monitoring.grafana.parts import (
    GREEN,
    HALF,
    QUARTER,
    RED,
    THIRD,
    WHOLE,
    YELLOW,
    About,
    AnyPanel,
    Query,
)
from monitoring.grafana.promql import RATE, TASK, quantile
from monitoring.grafana.reasons import NO_API, NO_DRIFT, NO_PSI, NO_TRAFFIC
from monitoring.grafana.tables import colour_column, rows, unit_column

VERDICT = {"0": ("no drift", GREEN), "1": ("drift", RED)}
OVER = ((None, GREEN), (0.75, YELLOW), (1, RED))


def predictions() -> Section:
    """Return what is predicted, and how surely."""
    counted = f"predictions_total{{{TASK}}}[{RATE}]"
    tasks = graph(
        About(
            "Predictions by task",
            "Records a second that got a prediction; a request may hold thousands.",
            units.CountsPerSecond,
            NO_TRAFFIC,
        ),
        Query(f"sum by (task) (rate({counted}))", "{{task}}"),
    )
    classes = graph(
        About(
            "Share of each class",
            "How often each class was predicted. A share that moves is drift, or a new"
            " model.",
            units.PercentUnit,
            "No predictions of classes in this time, or no task with classes is"
            " chosen.",
        ),
        Query(
            f"sum by (task, outcome) (rate(predictions_total{{{TASK},"
            f' outcome!="value"}}[{RATE}])) / on (task) group_left () sum by (task)'
            f" (rate({counted}))",
            "{{task}}: {{outcome}}",
        ),
    )
    sure = graph(
        About(
            "Confidence",
            "Probability of the class that was predicted: half of them are below p50, a"
            " tenth below p10. Falling: the model meets what it does not know.",
            units.PercentUnit,
            "No predictions of classes in this time, or no task with classes is"
            " chosen.",
        ),
        Query(quantile(0.5, "prediction_confidence", TASK, "task"), "{{task}} p50"),
        Query(quantile(0.1, "prediction_confidence", TASK, "task"), "{{task}} p10"),
    )
    values = graph(
        About(
            "Predicted values",
            "The middle and the tenths at both ends, in the target's own unit. Counted"
            " between the deciles of the training, and guessed along a straight line in"
            " between.",
            units.Short,
            "No predictions of numbers in this time, or no task with numbers is"
            " chosen.",
        ),
        *(
            Query(
                quantile(share, "prediction_value", TASK, "task"),
                f"{{{{task}}}} {name}",
            )
            for share, name in ((0.9, "p90"), (0.5, "p50"), (0.1, "p10"))
        ),
    )
    return "Predictions", [stacked(tasks), classes, sure, values]


def drift() -> Section:
    """Return how far the requests are from the data of the training."""
    psi = f"max by (task, feature) (feature_drift_psi{{{TASK}}})"
    limit = f"max by (task, feature) (feature_drift_threshold{{{TASK}}})"
    verdict = states(
        About(
            "Verdict",
            "Drift: in both of the newest windows the same feature, or part of the"
            " prediction, is over its threshold.",
            units.NoUnit,
            NO_DRIFT,
        ),
        Query(f"max by (task) (drift_detected{{{TASK}}})", "{{task}}"),
        words=VERDICT,
        width=THIRD,
    )
    features = graph(
        About(
            "Drift by feature",
            "How far each feature's distribution (PSI) is from the training's; 100 % is"
            " the threshold.",
            units.PercentUnit,
            NO_PSI,
        ),
        Query(f"{psi} / {limit}", "{{task}}: {{feature}}"),
        width=WHOLE - THIRD,
        steps=OVER,
    )
    listed = rows(
        About(
            "Drift in figures",
            "The newest window of each feature.",
            units.Short,
            NO_PSI,
        ),
        {
            "task": "Task",
            "feature": "Feature",
            "Value #A": "PSI",
            "Value #B": "Threshold",
            "Value #C": "Of the threshold",
        },
        Query(psi),
        Query(limit),
        Query(f"{psi} / {limit}"),
        sort=("Of the threshold", True),
        width=HALF,
    )
    unit_column(
        colour_column(listed, "Of the threshold", OVER),
        "Of the threshold",
        units.PercentUnit,
    )
    return "Drift", [verdict, features, listed, *_windows()]


def _windows() -> list[AnyPanel]:
    psi = f"max by (task, part) (prediction_drift_psi{{{TASK}}})"
    limit = f"max by (task, part) (prediction_drift_threshold{{{TASK}}})"
    predicted = graph(
        About(
            "Drift of the predictions",
            "The same of what is predicted; 100 % is the threshold.",
            units.PercentUnit,
            NO_PSI,
        ),
        Query(f"{psi} / {limit}", "{{task}}: {{part}}"),
        width=QUARTER,
        steps=OVER,
    )
    window = bars(
        About(
            "Rows in the newest window",
            f"Predictions of the version in service, {MOST:,} at most; from {2 * LEAST}"
            " on there is a verdict.",
            units.Short,
            NO_API,
        ),
        Query(f"max by (task) (drift_window_rows{{{TASK}}})", "{{task}}"),
        width=QUARTER,
        steps=((None, YELLOW), (2 * LEAST, GREEN)),
    ).max(MOST)
    age = graph(
        About(
            "Age of the newest window",
            "Since its newest row, and how long its rows took to come: drift is told no"
            " sooner.",
            units.Seconds,
            NO_PSI,
        ),
        Query(
            f"time() - max by (task) (drift_window_timestamp_seconds{{{TASK}}})",
            "{{task}}: age",
        ),
        Query(f"max by (task) (drift_window_seconds{{{TASK}}})", "{{task}}: length"),
        width=WHOLE,
    )
    return [predicted, window, age]
