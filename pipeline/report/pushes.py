"""The history, push by push: what was tried, what the gate said, what was in service
after.
"""

from dataclasses import dataclass
from pathlib import Path

from history import layout, runfile
from history.registry import Promotion
from history.runfile import Run
from pipeline.schema import Task

COMMIT = "mlflow.source.git.commit"


@dataclass(frozen=True)
class History:
    """All runs by id, and each one's folder relative to `mlruns/`."""

    runs: dict[str, Run]
    folders: dict[str, str]

    @classmethod
    def read(cls, mlruns: Path) -> "History":
        """Read every run of the history."""
        folders = layout.run_folders(mlruns)
        return cls(
            {
                run_id: runfile.load(path / layout.RUN_FILE)
                for run_id, path in folders.items()
            },
            {
                run_id: path.relative_to(mlruns).as_posix()
                for run_id, path in folders.items()
            },
        )

    def of(self, experiment: str) -> list[Run]:
        """Return an experiment's runs, oldest first."""
        found = [run for run in self.runs.values() if run.experiment == experiment]
        return sorted(found, key=lambda run: (run.started, run.run_id))


@dataclass(frozen=True)
class Event:
    """A push, or a promotion by hand, at a time in milliseconds; `run_id` is the one to
    look at.

    `value` is the metric on the hold-out, of the model that was judged.
    """

    when: int
    run_id: str
    commit: str
    algorithm: str
    value: float | None
    promoted: bool
    decision: str
    reason: str


def events(task: Task, history: History, versions: list[Promotion]) -> list[Event]:
    """Return a task's pushes and promotions by hand in the order of their time."""
    by_gate = {
        history.runs[e.run_id].parent: e for e in versions if e.decided_by == "gate"
    }
    pushes = [
        run for run in history.of(task.name) if not run.parent and "gate" in run.tags
    ]
    found = [_push(task, run, by_gate.get(run.run_id)) for run in pushes]
    found += [
        Event(
            when=entry.promoted,
            run_id=entry.run_id,
            commit=entry.commit,
            algorithm=history.runs[entry.run_id].params.get("algorithm", ""),
            value=entry.metrics[task.metric.name],
            promoted=True,
            decision=f"v{entry.version} promoted manually",
            reason=entry.reason,
        )
        for entry in versions
        if entry.decided_by == "hand"
    ]
    return sorted(found, key=lambda event: event.when)


def _push(task: Task, run: Run, entry: Promotion | None) -> Event:
    measured = run.latest(f"holdout_{task.metric.name}")
    return Event(
        when=run.started,
        run_id=run.run_id,
        commit=run.tags.get(COMMIT, ""),
        algorithm=run.params.get("challenger", ""),
        value=entry.metrics[task.metric.name] if entry else measured,
        promoted=entry is not None,
        decision=f"promoted as v{entry.version}" if entry else "not promoted",
        reason=gate_reason(run),
    )


def gate_reason(run: Run) -> str:
    """Return the reason of the gate's decision on a task's parent run.

    Earlier versions began it with the name of the check that failed, which read as the
    opposite of what had happened.
    """
    return run.tags["gate.reason"].replace(
        "better than champion: ", "not better than the champion: "
    )
