"""The history, push by push: what was tried, what the gate said, what was in service after."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pipeline.history import layout, runfile
from pipeline.history.registry import Promotion
from pipeline.history.runfile import Run
from pipeline.schema import Task

COMMIT = "mlflow.source.git.commit"


@dataclass(frozen=True)
class History:
    """All runs by id, and each one's folder relative to `mlruns/`."""

    runs: dict[str, Run]
    folders: dict[str, str]

    def of(self, experiment: str) -> list[Run]:
        """Return an experiment's runs, oldest first."""
        found = [run for run in self.runs.values() if run.experiment == experiment]
        return sorted(found, key=lambda run: (run.started, run.run_id))


@dataclass(frozen=True)
class Event:
    """A push, or a promotion by hand, at a time in milliseconds; `run_id` is the one to look at.

    `challenger` and `champion` are the metric on the hold-out, of the model that was judged and of
    the one in service afterwards.
    """

    when: int
    run_id: str
    commit: str
    algorithm: str
    challenger: float | None
    champion: float | None
    promoted: bool
    decision: str
    reason: str


def read(mlruns: Path) -> History:
    """Read every run of the history."""
    folders = layout.run_folders(mlruns)
    runs = {run_id: runfile.load(path / layout.RUN_FILE) for run_id, path in folders.items()}
    return History(runs, {id: path.relative_to(mlruns).as_posix() for id, path in folders.items()})


def events(task: Task, history: History, versions: list[Promotion]) -> list[Event]:
    """Return a task's pushes and promotions by hand in the order of their time."""
    metric = task.metric.name
    by_gate = {history.runs[e.run_id].parent: e for e in versions if e.decided_by == "gate"}
    pushes = [run for run in history.of(task.name) if not run.parent and "gate" in run.tags]
    timeline: list[tuple[int, Run | Promotion]] = [(run.started, run) for run in pushes]
    timeline += [(entry.promoted, entry) for entry in versions if entry.decided_by == "hand"]
    found: list[Event] = []
    champion: float | None = None
    for when, what in sorted(timeline, key=lambda pair: pair[0]):
        entry = what if isinstance(what, Promotion) else by_gate.get(what.run_id)
        champion = entry.metrics[metric] if entry else champion
        if isinstance(what, Promotion):
            decision, reason, value = f"v{what.version} by hand", what.reason, champion
            commit, algorithm = what.commit, history.runs[what.run_id].params.get("algorithm", "")
        else:
            decision = f"promoted as v{entry.version}" if entry else "refused"
            reason, value = what.tags["gate.reason"], what.latest(f"holdout_{metric}")
            commit, algorithm = what.tags.get(COMMIT, ""), what.params.get("challenger", "")
        about = (when, what.run_id, commit, algorithm, value, champion)
        found.append(Event(*about, entry is not None, decision, reason))
    return found


def day(milliseconds: int) -> str:
    """Return a time in milliseconds since the epoch as its day, UTC."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC).date().isoformat()
