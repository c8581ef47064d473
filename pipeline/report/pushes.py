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
    """A push or a promotion by hand.

    `challenger` and `champion` are the metric on the hold-out, of the model that was judged and of
    the one in service afterwards; `run` is the one to look at.
    """

    when: int
    run: Run
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
    places = {run_id: path.relative_to(mlruns).as_posix() for run_id, path in folders.items()}
    return History(runs, places)


def events(task: Task, history: History, versions: list[Promotion]) -> list[Event]:
    """Return a task's pushes and promotions by hand in the order of their time."""
    metric = task.metric.name
    parents = [run for run in history.of(task.name) if not run.parent and "gate" in run.tags]
    by_hand = [entry for entry in versions if entry.decided_by == "hand"]
    by_gate = {
        history.runs[entry.run_id].parent: entry for entry in versions if entry.decided_by == "gate"
    }
    timeline: list[tuple[int, Run | Promotion]] = [(run.started, run) for run in parents]
    timeline += [(entry.promoted, entry) for entry in by_hand]
    found: list[Event] = []
    champion: float | None = None
    for when, what in sorted(timeline, key=lambda pair: pair[0]):
        entry = what if isinstance(what, Promotion) else by_gate.get(what.run_id)
        champion = entry.metrics[metric] if entry else champion
        if isinstance(what, Promotion):
            found.append(_by_hand(what, history, when, champion))
        else:
            found.append(_push(what, entry, when, metric, champion))
    return found


def _push(
    run: Run, entry: Promotion | None, when: int, metric: str, champion: float | None
) -> Event:
    return Event(
        when=when,
        run=run,
        commit=run.tags.get(COMMIT, ""),
        algorithm=run.params.get("challenger", ""),
        challenger=run.latest(f"holdout_{metric}"),
        champion=champion,
        promoted=entry is not None,
        decision=f"promoted as v{entry.version}" if entry else "refused",
        reason=run.tags["gate.reason"],
    )


def _by_hand(entry: Promotion, history: History, when: int, champion: float | None) -> Event:
    run = history.runs[entry.run_id]
    return Event(
        when=when,
        run=run,
        commit=entry.commit,
        algorithm=run.params.get("algorithm", ""),
        challenger=champion,
        champion=champion,
        promoted=True,
        decision=f"v{entry.version} by hand",
        reason=entry.reason,
    )


def day(milliseconds: int) -> str:
    """Return a time in milliseconds since the epoch as its day, UTC."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC).date().isoformat()
