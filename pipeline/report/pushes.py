"""The history push by push: what was tried, what the gate decided, what was served."""

from dataclasses import dataclass

from history import History
from history.registry import Promotion
from history.runfile import RunSummary
from pipeline.report.earlier_reasons import reword
from pipeline.schema import Task

COMMIT = "mlflow.source.git.commit"


@dataclass(frozen=True)
class Runs:
    """The summaries of all runs by id, and the folder of each below `mlruns/`."""

    by_id: dict[str, RunSummary]
    folders: dict[str, str]

    @classmethod
    def read(cls, history: History) -> "Runs":
        """Read the summary of every run of the history."""
        by_id = {run.run_id: run for run in history.summaries()}
        folders = {}
        for run_id, path in history.folders.items():
            experiment_day_run = path.parts[-3:]
            folders[run_id] = "/".join(experiment_day_run)
        return cls(by_id, folders)

    def of(self, experiment: str) -> list[RunSummary]:
        """Return the runs of an experiment, oldest first."""
        runs = [run for run in self.by_id.values() if run.experiment == experiment]
        return sorted(runs, key=lambda run: (run.started, run.run_id))


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
        if not run.parent and "gate" in run.tags:
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
