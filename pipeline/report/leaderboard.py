"""`mlruns/README.md` and its pictures: the history as GitHub renders it."""

from collections.abc import Iterable

from pipeline.history.registry import Promotion
from pipeline.report.chart import Point, draw
from pipeline.report.markdown import table
from pipeline.report.pushes import Event, History, day
from pipeline.schema import Task

SHOWN = 20


def picture(task: Task, events: list[Event]) -> str:
    """Draw the task's metric over the pushes."""
    better = "higher" if task.metric.higher_is_better else "lower"
    points = [
        Point(event.challenger, event.champion, event.promoted, _label(event)) for event in events
    ]
    return draw(f"{task.name}: {task.metric.name} on the hold-out, {better} is better", points)


def page(sections: list[str], runs: int) -> str:
    """Return the whole page."""
    return "\n".join(
        [
            "# Leaderboard",
            "",
            f"Made from the {runs} runs below this folder by `pipeline publish`; do not edit. "
            "`./start-mlops.sh` shows the same in MLflow.",
            "",
            *(sections or ["No run has been published yet.", ""]),
        ]
    )


def section(task: Task, history: History, versions: list[Promotion], events: list[Event]) -> str:
    """Return a task's part of the page: the picture, the champions, the last pushes."""
    metric = task.metric.name
    champions = (
        (
            f"v{entry.version}",
            day(entry.promoted),
            entry.decided_by,
            f"{entry.metrics[metric]:.4f}",
            _link(history, entry.run_id),
            entry.reason,
        )
        for entry in reversed(versions)
    )
    pushes = (
        (
            day(event.when),
            f"`{event.commit[:7]}`",
            event.algorithm,
            "" if event.challenger is None else f"{event.challenger:.4f}",
            event.decision,
            _link(history, event.run.run_id),
            event.reason,
        )
        for event in reversed(events[-SHOWN:])
    )
    serving = f"[in service](../deployment/models/{task.name}/MODEL_CARD.md)" if versions else ""
    return "\n".join(
        [
            f"## {task.title}",
            f"{task.description} {serving}",
            "",
            f"![{metric} over the pushes](../results/{task.name}.svg)",
            "",
            "### Champions, the newest in service",
            *table(("version", "since", "by", metric, "run", "why"), champions),
            "",
            f"### The last {SHOWN} pushes",
            *table(("day", "commit", "challenger", metric, "gate", "run", "why"), pushes),
            "",
        ]
    )


def _label(event: Event) -> str:
    return f"{day(event.when)} {event.commit[:7]} {event.algorithm}: {event.decision}"


def _link(history: History, run_id: str) -> str:
    return f"[`{run_id[:8]}`]({history.folders[run_id]})"
