"""`model-history`: what every push ever brought, told by the exporter beside MLflow.

Pushes lie before the time that Prometheus knows: the newest sample has all of them, by
number.
"""

from typing import Any

from grafana_foundation_sdk.models import units

from monitoring.grafana.board import Section, board, variable
from monitoring.grafana.panels import bars, graph, number
from monitoring.grafana.parts import (
    GREEN,
    HALF,
    QUARTER,
    RED,
    WHOLE,
    YELLOW,
    About,
    Query,
)
from monitoring.grafana.promql import RATE, TASK
from monitoring.grafana.reasons import NO_HISTORY
from monitoring.grafana.tables import by_push, rows, unit_column

METRIC = f'{TASK}, metric=~"$metric"'
# One series a push and a metric, whoever tells it; what is known of the push is in the
# labels.
JUDGED = (
    "max by (task, metric, push, commit, decision, version) "
    f"(model_history_metric{{{METRIC}}})"
)
CHAMPION = f"max by (task, metric, push) (model_history_champion_metric{{{METRIC}}})"
PUSHED = f"max by (task, push) (model_history_pushed_timestamp_seconds{{{TASK}}})"


def build() -> dict[str, Any]:
    """Return the dashboard."""
    return board(
        "model-history",
        "Model history",
        "What every push brought: the hold-out's metrics, the gate's decision, the"
        " champion.",
        [_now(), _pushes()],
        variables=[
            variable(
                "task",
                "Task",
                "label_values(model_history_pushes, task)",
                "What is predicted.",
            ),
            variable(
                *("metric", "Metric"),
                'label_values(model_history_champion_metric{task=~"$task"}, metric)',
                "Metrics of the hold-out.",
            ),
        ],
    )


def _now() -> Section:
    def newest(title: str, text: str, unit: str, expr: str) -> Any:
        about = About(title, text, unit, NO_HISTORY)
        return number(about, Query(expr, "{{task}}"), width=QUARTER)

    pushes = newest(
        "Pushes",
        "Pushes and promotions by hand in the history.",
        units.Short,
        f"max by (task) (model_history_pushes{{{TASK}}})",
    )
    runs = newest(
        "Runs",
        "Runs in the history: each push tries several algorithms.",
        units.Short,
        f"max by (task) (model_history_runs{{{TASK}}})",
    )
    last = newest(
        "Since the last push",
        "How long ago the newest push was trained.",
        units.DurationSeconds,
        f"time() - max by (task) ({PUSHED})",
    )
    read = number(
        About(
            "History read",
            "Since MLflow's database last agreed with the files in mlruns/. It looks"
            " every few seconds.",
            units.DurationSeconds,
            NO_HISTORY,
        ),
        Query("time() - max(history_restore_timestamp_seconds)", "ago"),
        width=QUARTER,
        steps=((None, GREEN), (60, YELLOW), (600, RED)),
    )
    return "Now", [pushes, runs, last, read]


def _pushes() -> Section:
    def lines(name: str, expr: str) -> str:
        found = f'label_join({expr}, "of", ": ", "task", "metric")'
        return f'label_replace({found}, "series", "$1, {name}", "of", "(.+)")'

    judged = f"max by (task, metric, push) ({JUDGED})"
    curves = by_push(
        About(
            "Metrics of every push",
            "On the hold-out: the model that a push was judged by, and the champion"
            " after it. They part where the gate refused.",
            units.Short,
            NO_HISTORY,
        ),
        f"{lines('judged', judged)} or {lines('champion', CHAMPION)}",
        width=WHOLE,
    )
    known = (
        f"on (task, metric, push) group_left (commit, decision, version) ({JUDGED} * 0"
        " + 1)"
    )
    every = rows(
        About(
            "Every push",
            "The commit that was pushed, what the gate decided, and the version that"
            " came of it.",
            units.Short,
            NO_HISTORY,
        ),
        {
            **{
                "task": "Task",
                "push": "Push",
                "Value #C": "Trained",
                "commit": "Commit",
            },
            **{"decision": "Decision", "version": "Version", "metric": "Metric"},
            **{"Value #A": "Judged", "Value #B": "Champion"},
        },
        Query(JUDGED),
        Query(f"{CHAMPION} * {known}"),
        Query(f"({JUDGED} * 0 + 1) * on (task, push) group_left () ({PUSHED} * 1000)"),
        sort=("Trained", True),
        height=12,
    )
    unit_column(every, "Trained", units.DatetimeISO)
    decisions = bars(
        About("Decisions", "How the gate decided.", units.Short, NO_HISTORY),
        Query(
            "count by (task, decision) "
            f"(max by (task, push, decision) (model_history_metric{{{TASK}}}))",
            "{{task}}: {{decision}}",
        ),
    )
    failures = graph(
        About(
            "Failed readings",
            "Attempts to bring MLflow's database up to the files that failed: see its"
            " log.",
            units.Short,
            NO_HISTORY,
        ),
        Query(f"sum(increase(history_restore_failures_total[{RATE}]))", "failed"),
        width=HALF,
        steps=((None, GREEN), (1, RED)),
    )
    return "Pushes", [curves, every, decisions, failures]
