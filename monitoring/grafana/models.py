"""Sections of the models in service: which they are, and what they are worth."""

from grafana_foundation_sdk.models import units

from monitoring.grafana.board import Section
from monitoring.grafana.panels import bars, graph, number
from monitoring.grafana.parts import (
    GREEN,
    HALF,
    LOW,
    ORANGE,
    QUARTER,
    RED,
    SIXTH,
    THIRD,
    YELLOW,
    About,
    AnyPanel,
    Query,
)
from monitoring.grafana.promql import RATE, TASK
from monitoring.grafana.reasons import NO_API, NO_FEEDBACK, NO_HISTORY
from monitoring.grafana.tables import by_push, rows

DAY = 86_400


def models() -> Section:
    """Return what is served, and since when."""
    known = "task, version, run_id, commit, algorithm"
    served = rows(
        About(
            "Models in service",
            "What answers now, and the commit it came by.",
            "none",
            NO_API,
        ),
        {
            **{"task": "Task", "version": "Version", "algorithm": "Algorithm"},
            **{"commit": "Commit", "run_id": "Run"},
        },
        Query(f"max by ({known}) (model_info{{{TASK}}})"),
        sort=("Task", False),
        width=HALF,
        height=LOW,
    )
    loaded = number(
        About(
            "Model", "Whether each task has a model that answers.", units.NoUnit, NO_API
        ),
        Query(f"min by (task) (model_loaded{{{TASK}}})", "{{task}}"),
        width=QUARTER,
        words={"0": ("none", RED), "1": ("loaded", GREEN)},
    )
    files = number(
        About(
            "Model files",
            "Whether what is served is what the files hold. Refused: newer files are"
            " broken.",
            units.NoUnit,
            NO_API,
        ),
        Query(f"min by (task) (model_current{{{TASK}}})", "{{task}}"),
        width=QUARTER,
        words={"0": ("refused", RED), "1": ("served", GREEN)},
    )
    return "Models", [served, loaded, files, *_times()]


def _times() -> list[AnyPanel]:
    age = number(
        About(
            "Age",
            "Since the model was promoted; 90 days are called old.",
            units.DurationSeconds,
            NO_API,
        ),
        Query(f"max by (task) (model_age_seconds{{{TASK}}})", "{{task}}"),
        width=SIXTH,
        steps=((None, GREEN), (60 * DAY, YELLOW), (90 * DAY, ORANGE)),
    )
    training = number(
        About(
            "Training took",
            "How long the model's training took.",
            units.Seconds,
            NO_API,
        ),
        Query(f"max by (task) (training_duration_seconds{{{TASK}}})", "{{task}}"),
        width=SIXTH,
    )
    loading = number(
        About(
            "Loading took",
            "How long opening and checking a model's files took, on average.",
            units.Seconds,
            NO_API,
        ),
        Query(
            f"sum by (task) (model_load_duration_seconds_sum{{{TASK}}})"
            f" / sum by (task) (model_load_duration_seconds_count{{{TASK}}})",
            "{{task}}",
        ),
        width=SIXTH,
        steps=((None, GREEN), (5, YELLOW)),
    )
    reloads = graph(
        About(
            "Files refused",
            "Model files that could not be served: the version before goes on.",
            units.Short,
            NO_API,
        ),
        Query(
            f"sum by (task) (increase(model_reload_failures_total{{{TASK}}}[{RATE}]))",
            "{{task}}",
        ),
        steps=((None, GREEN), (1, RED)),
    ).height(LOW)
    return [age, training, loading, reloads]


def quality() -> Section:
    """Return what the models were worth when they were judged, and what in service."""
    offline = f"max by (task, metric) (model_offline_metric{{{TASK}}})"
    pushes = by_push(
        About(
            "The champion over pushes",
            "What the model in service scored on the hold-out, after each push. More on"
            " the dashboard Model history.",
            units.Short,
            NO_HISTORY,
        ),
        "label_join(max by (task, metric, push)"
        f' (model_history_champion_metric{{{TASK}}}), "series", " ", "task", "metric")',
    )
    metric = graph(
        About(
            "The champion over time",
            "The same, as it was in service.",
            units.Short,
            NO_API,
        ),
        Query(offline, "{{task}}: {{metric}}"),
    )
    live = rows(
        About(
            "Quality live and offline",
            "Live is by the true values that came back, offline by the hold-out.",
            units.Short,
            NO_FEEDBACK,
        ),
        {"task": "Task", "metric": "Metric", "Value #A": "Live", "Value #B": "Offline"},
        Query(f"avg by (task, metric) (model_live_metric{{{TASK}}})"),
        Query(offline),
        sort=("Task", False),
        width=HALF,
    )
    feedback = graph(
        About(
            "Live quality",
            "What the predictions were worth, by the newest true values.",
            units.Short,
            NO_FEEDBACK,
        ),
        Query(
            f"avg by (task, metric) (model_live_metric{{{TASK}}})",
            "{{task}}: {{metric}}",
        ),
        width=THIRD,
    )
    told = bars(
        About(
            "Feedback",
            "Predictions whose true value is known.",
            units.Short,
            NO_FEEDBACK,
        ),
        Query(f"max by (task) (feedback_rows{{{TASK}}})", "{{task}}"),
        width=SIXTH,
    )
    return "Quality", [pushes, metric, live, feedback, told]
