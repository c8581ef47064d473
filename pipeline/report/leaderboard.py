"""`mlruns/README.md` and its pictures: the history as GitHub renders it."""

from collections.abc import Iterable

from pipeline.history.registry import Promotion
from pipeline.report.chart import draw
from pipeline.report.pushes import Event, History, day
from pipeline.schema import Task

SHOWN = 20


def picture(task: Task, events: list[Event]) -> str:
    """Draw the task's metric over the pushes."""
    better = "higher" if task.metric.higher_is_better else "lower"
    return draw(f"{task.name}: {task.metric.name} on the hold-out, {better} is better", events)


def page(sections: list[str], runs: int) -> str:
    """Return the whole page."""
    return f"""# Leaderboard

Made from the {runs} runs below this folder by `pipeline publish`; do not edit.
`./start-mlops.sh` shows the same in MLflow.

{"".join(sections) or "No run has been published yet."}
"""


def section(task: Task, history: History, versions: list[Promotion], events: list[Event]) -> str:
    """Return a task's part of the page: the picture, the champions, the last pushes."""
    metric = task.metric.name

    def link(run_id: str) -> str:
        return f"[`{run_id[:8]}`]({history.folders[run_id]})"

    champions = []
    for entry in reversed(versions):
        value, since = f"{entry.metrics[metric]:.4f}", day(entry.promoted)
        by, run = str(entry.decided_by), link(entry.run_id)
        champions.append((f"v{entry.version}", since, by, value, run, entry.reason))
    pushes = []
    for event in reversed(events[-SHOWN:]):
        value = "" if event.challenger is None else f"{event.challenger:.4f}"
        row = (day(event.when), f"`{event.commit[:7]}`", event.algorithm, value, event.decision)
        pushes.append((*row, link(event.run_id), event.reason))
    card = f"[In service](../deployment/models/{task.name}/MODEL_CARD.md)." if versions else ""
    return f"""
## {task.title}
{task.description} {card}

![{metric} over the pushes](../results/{task.name}.svg)

### Champions, the newest in service
{table(("version", "since", "by", metric, "run", "why"), champions)}

### The last {SHOWN} pushes
{table(("day", "commit", "challenger", metric, "gate", "run", "why"), pushes)}
"""


def table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """Return a table in Markdown, with the blank line before it that it needs."""
    lines = ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
    return "\n".join(["", "| " + " | ".join(head) + " |", "|" + "---|" * len(head), *lines])
