"""The experiments of a history, and the tasks that they belong to."""

from dataclasses import dataclass, field
from typing import Any

from history import History, layout
from pipeline import tasks
from pipeline.schema import Task


@dataclass
class Experiment:
    """An experiment's folder.

    Attributes:
        folder: its name below `mlruns/`.
        title: the experiment's own name.
        task: the task that trains into it, if there is one.
        days: the folders of its days with their numbers of runs, oldest first.
        data: the tables that its pushes were trained on, oldest first.
    """

    folder: str
    title: str
    task: Task | None
    days: dict[str, int] = field(default_factory=dict)
    data: list["TableUse"] = field(default_factory=list)

    @property
    def count(self) -> int:
        """How many runs it has."""
        return sum(self.days.values())

    def describe(self) -> dict[str, Any]:
        """Return what the pages load of it."""
        metric = None
        if self.task:
            metric = {
                "name": self.task.metric.name,
                "higher": self.task.metric.higher_is_better,
            }
        return {
            "folder": self.folder,
            "title": self.title,
            "metric": metric,
            "days": list(self.days.items()),
        }


@dataclass
class TableUse:
    """A table, and the first of the pushes in a row that were trained on it.

    Attributes:
        started: when that push began, in milliseconds since the epoch.
        run: the place of its run.
        rows: how many rows it had, if the run says so.
        pushes: how many pushes in a row used it.
    """

    started: int
    run: str
    digest: str
    origin: str
    rows: int | None
    pushes: int = 1


def run_ids(history: History) -> dict[str, dict[str, list[str]]]:
    """Return the run IDs of each day's folder of each experiment's folder."""
    experiments: dict[str, dict[str, list[str]]] = {}
    for run_id, path in history.folders.items():
        folder, day, _ = path.parts[-3:]
        days = experiments.setdefault(folder, {})
        of_day = days.setdefault(day, [])
        of_day.append(run_id)
    return experiments


def task_of(folder: str) -> Task | None:
    """Return the task that trains into an experiment's folder."""
    for name in tasks.names():
        if layout.is_experiment_folder(folder, name):
            return tasks.load(name)
    return None


def place_of(history: History, run_id: str) -> str:
    """Return where a run lies, such as `housing/2026-11-18/4f0c…`."""
    experiment_day_run = history.folders[run_id].parts[-3:]
    return "/".join(experiment_day_run)
