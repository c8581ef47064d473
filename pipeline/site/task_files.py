"""The data files of a task: its pushes by month, and its metric over time."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from history import History, Promotion, layout
from history.runfile import RunSummary
from pipeline.report.day_summaries import best_by_algorithm
from pipeline.report.pushes import Event, Runs, events
from pipeline.report.templates import day
from pipeline.schema import Task
from pipeline.site import scripts


@dataclass(frozen=True)
class TaskHistory:
    """What the pages of a task show.

    Attributes:
        versions: its promotions, oldest first.
        pushes: its pushes and manual promotions, oldest first.
        best: the best run of each algorithm, the best one first.
    """

    task: Task
    versions: list[Promotion]
    pushes: list[Event]
    best: dict[str, RunSummary]

    @classmethod
    def read(cls, history: History, runs: Runs, task: Task) -> "TaskHistory":
        """Read what the history has of a task."""
        versions = history.promotions(task.name)
        pushes = events(task, runs, versions)
        best = best_by_algorithm(task, runs.of(task.name))
        return cls(task, versions, pushes, best)

    @property
    def slug(self) -> str:
        """The part of its files' names that stands for the task."""
        return layout.experiment_folder(self.task.name)

    def months(self) -> Iterator[tuple[str, list[Event]]]:
        """Yield each month that has a push, such as `2026-11`, oldest first."""
        for month, pushes in groupby(self.pushes, _month):
            yield month, list(pushes)


def _month(event: Event) -> str:
    return day(event.when)[:7]


def write(folder: Path, history: TaskHistory, places: dict[str, str]) -> None:
    """Write the data files of a task below a site.

    Args:
        places: where each run lies, by run ID.
    """
    months = {}
    for month, pushes in history.months():
        rows = []
        for event in pushes:
            row = _row(event, places)
            rows.append(row)
        scripts.write(folder, f"{history.slug}/pushes-{month}", rows)
        months[month] = len(pushes)
    timeline = _timeline(history, months)
    scripts.write(folder, f"{history.slug}/timeline", timeline)


def _row(event: Event, places: dict[str, str]) -> list[Any]:
    return [
        event.when,
        places[event.run_id],
        event.commit[:12],
        event.algorithm,
        _value(event.value),
        int(event.promoted),
        event.decision,
        event.reason,
    ]


def _timeline(history: TaskHistory, months: dict[str, int]) -> dict[str, Any]:
    """Return the columns of the chart: a push each, and the months of the table."""
    times = []
    challengers = []
    champions = []
    promoted = []
    champion: float | None = None
    for event in history.pushes:
        if event.promoted:
            champion = event.value
        seconds = event.when // 1000
        times.append(seconds)
        challengers.append(_value(event.value))
        champions.append(_value(champion))
        promoted.append(int(event.promoted))
    return {
        "months": list(months.items()),
        "times": times,
        "challengers": challengers,
        "champions": champions,
        "promoted": promoted,
    }


def _value(value: float | None) -> float | str | None:
    if value is None:
        return None
    return scripts.short_number(value)
