"""The history push by push: what was tried, what the gate decided, what was served."""

from collections.abc import Collection
from dataclasses import dataclass

from history import History, layout
from history.registry import Promotion
from history.runfile import RunSummary
from pipeline.report import day_summaries
from pipeline.report.day_summaries import COMMIT, Days, is_push
from pipeline.report.earlier_reasons import reword
from pipeline.schema import Task


@dataclass(frozen=True)
class Runs:
    """The runs that reports show: the pushes, the best runs, and those promoted.

    Attributes:
        by_id: what is shown of each by run ID.
        folders: the folder of each below `mlruns/`.
        experiments: the folders of the experiments that have a run.
        count: how many runs the history has in all.
    """

    by_id: dict[str, RunSummary]
    folders: dict[str, str]
    experiments: set[str]
    count: int

    @classmethod
    def read(
        cls, history: History, days: Days | None = None, whole: Collection[str] = ()
    ) -> "Runs":
        """Read the runs that reports show.

        Args:
            days: the summaries of the days; read from the history if it is None.
            whole: the IDs of other runs to read, of which nothing is left out.
        """
        if days is None:
            days = day_summaries.read(history)
        by_id = {}
        for summary in days.values():
            for run in summary.shown:
                by_id[run.run_id] = run
        others = (_promoted(history) - by_id.keys()).union(whole)
        for run in history.summaries(sorted(others)):
            by_id[run.run_id] = run
        folders = {}
        for run_id in by_id:
            experiment_day_run = history.folders[run_id].parts[-3:]
            folders[run_id] = "/".join(experiment_day_run)
        experiments = {day.partition("/")[0] for day in days}
        return cls(by_id, folders, experiments, len(history))

    def has(self, experiment: str) -> bool:
        """Return whether an experiment has a run."""
        return any(
            layout.is_experiment_folder(folder, experiment)
            for folder in self.experiments
        )

    def of(self, experiment: str) -> list[RunSummary]:
        """Return the runs of an experiment, oldest first."""
        runs = [run for run in self.by_id.values() if run.experiment == experiment]
        return sorted(runs, key=lambda run: (run.started, run.run_id))


def _promoted(history: History) -> set[str]:
    """Return the runs in the history that were promoted."""
    promoted = set()
    for model in history.models():
        for promotion in history.promotions(model):
            if promotion.run_id in history:
                promoted.add(promotion.run_id)
    return promoted


@dataclass(frozen=True)
class Event:
    """A push or a manual promotion, with the id of its run.

    `when` is in milliseconds since the epoch; `value` is the metric of the challenger on
    the hold-out.
    """

    when: int
    run_id: str
    commit: str
    algorithm: str
    value: float | None
    promoted: bool
    decision: str
    reason: str


def events(task: Task, runs: Runs, versions: list[Promotion]) -> list[Event]:
    """Return the pushes and manual promotions of a task, oldest first."""
    by_push = {}
    manual = []
    for entry in versions:
        if entry.decided_by == "gate":
            by_push[runs.by_id[entry.run_id].parent] = entry
        else:
            manual.append(_manual(task, runs, entry))
    pushes = []
    for run in runs.of(task.name):
        if is_push(run):
            promotion = by_push.get(run.run_id)
            pushes.append(_push(task, run, promotion))
    return sorted(pushes + manual, key=lambda event: event.when)


def _manual(task: Task, runs: Runs, entry: Promotion) -> Event:
    return Event(
        when=entry.promoted,
        run_id=entry.run_id,
        commit=entry.commit,
        algorithm=runs.by_id[entry.run_id].params.get("algorithm", ""),
        value=entry.metrics[task.metric.name],
        promoted=True,
        decision=f"v{entry.version} promoted manually",
        reason=entry.reason,
    )


def _push(task: Task, run: RunSummary, entry: Promotion | None) -> Event:
    metric = task.metric.name
    decision = "not promoted"
    value = run.latest(f"holdout_{metric}")
    if entry:
        decision = f"promoted as v{entry.version}"
        value = entry.metrics[metric]
    return Event(
        when=run.started,
        run_id=run.run_id,
        commit=run.tags.get(COMMIT, ""),
        algorithm=run.params.get("challenger", ""),
        value=value,
        promoted=entry is not None,
        decision=decision,
        reason=gate_reason(run),
    )


def gate_reason(run: RunSummary) -> str:
    """Return the reason of the gate's decision on a task's parent run."""
    return reword(run.tags["gate.reason"])
