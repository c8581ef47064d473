"""Delete old run folders; promoted runs keep their lineage, and fewer old runs stay.

A family is a parent run with all its children. These stay:

1. families with a run that was ever promoted, and those whose models a family that
stays uses;

2. families that started within the last 30 days;

3. the newest 20 families of each experiment;

4. of the older ones the first of each month of each experiment.

All others are deleted, each as a whole. Git still has them: `git log --diff-filter=D
-- mlruns/`.
"""

import os
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime, timedelta
from itertools import groupby
from pathlib import Path

from core.files import emptied
from history import layout
from history.history import History
from history.lock import write_lock
from history.runfile import Run

DAYS = 30
NEWEST = 20


def prune(
    history: History,
    days: int = DAYS,
    newest: int = NEWEST,
    now: datetime | None = None,
    dry_run: bool = False,
) -> list[Path]:
    """Delete the run folders that the policy above does not keep, and return them.

    Each is deleted whole or not at all; the next call finishes what a killed one left.

    Raises:
        PipelineError: a file of the history is damaged. Nothing has been deleted then.
    """
    if now is None:
        now = datetime.now(UTC)
    since = now - timedelta(days=days)
    lock: AbstractContextManager[object] = nullcontext()
    if not dry_run:
        lock = write_lock(history.path)
    with lock:
        history.refresh()  # another process may have added runs before we had the lock
        folders = _folders_to_delete(history, since, newest)
        if not dry_run:
            _delete(folders, history)
    return folders


def _folders_to_delete(
    history: History,
    since: datetime,
    newest: int,
) -> list[Path]:
    runs = {}
    for run in history.runs():
        runs[run.run_id] = run
    families = Families(runs)
    kept = _kept_by_age(families.first_runs(), since, newest)
    for model in history.models():
        for promotion in history.promotions(model):
            kept.add(promotion.run_id)
    kept = families.with_lineage(kept)
    deleted = []
    for run_id, run in runs.items():
        if run_id not in kept:
            deleted.append(run)
    return _children_first(deleted, history.folders)


def _children_first(runs: Iterable[Run], folders: Mapping[str, Path]) -> list[Path]:
    """Return the folders of some runs, in an order to delete them in.

    A call that is cut short leaves no child without its parent.
    """
    parents = []
    children = []
    for run in runs:
        folder = folders[run.run_id]
        if run.parent is None:
            parents.append(folder)
        else:
            children.append(folder)
    return sorted(children) + sorted(parents)


def _delete(folders: Iterable[Path], history: History) -> None:
    with emptied(history.path / layout.LOCAL / "pruned") as aside:
        for folder in folders:
            os.replace(folder, aside / folder.name)
            del history.folders[folder.name]


def _kept_by_age(
    first_runs: Iterable[Run],
    since: datetime,
    newest: int,
) -> set[str]:
    """Return the IDs of the first runs of the families that rules 2 to 4 keep."""
    since_ms = since.timestamp() * 1000
    kept: set[str] = set()
    by_age = sorted(first_runs, key=_experiment_and_age, reverse=True)
    for _, group in groupby(by_age, _experiment):
        first_of_month: dict[str, str] = {}
        for index, run in enumerate(group):  # newest first
            if index < newest or run.started >= since_ms:
                kept.add(run.run_id)
            month = f"{layout.time(run.started):%Y-%m}"
            first_of_month[month] = run.run_id
        kept.update(first_of_month.values())
    return kept


def _experiment(run: Run) -> str:
    return run.experiment


def _experiment_and_age(run: Run) -> tuple[str, int, str]:
    return run.experiment, run.started, run.run_id


class Families:
    """The families of the runs of a history, and the models that link them."""

    def __init__(self, runs: Mapping[str, Run]) -> None:
        self._runs = runs
        self._heads: dict[str, str] = {}  # the first run of its family, by run ID
        self._owners: dict[str, str] = {}  # the run that logged a model, by model ID
        for run in runs.values():
            self._heads[run.run_id] = self._head(run)
            for model in run.models:
                self._owners[model.model_id] = run.run_id

    def _head(self, run: Run) -> str:
        """Return the ID of the run that a run's family starts with."""
        seen = {run.run_id}
        parent = self._runs.get(run.parent or "")
        while parent and parent.run_id not in seen:
            run = parent
            seen.add(run.run_id)
            parent = self._runs.get(run.parent or "")
        return run.run_id

    def first_runs(self) -> list[Run]:
        """Return the first run of each family."""
        heads = set(self._heads.values())
        return [self._runs[run_id] for run_id in heads]

    def with_lineage(self, run_ids: set[str]) -> set[str]:
        """Return all runs of the families of some runs, and of those whose models they
        use.
        """
        kept: set[str] = set()
        new = self._heads_of(run_ids)
        while new:
            kept |= new
            new = self._heads_of(self._owners_of_models(new)) - kept
        members = set()
        for run_id, head in self._heads.items():
            if head in kept:
                members.add(run_id)
        return members

    def _heads_of(self, run_ids: Iterable[str]) -> set[str]:
        heads = set()
        for run_id in run_ids:
            if run_id in self._heads:
                heads.add(self._heads[run_id])
        return heads

    def _owners_of_models(self, heads: set[str]) -> set[str]:
        """Return the runs that logged the models that some families use."""
        models: set[str] = set()
        for run_id, head in self._heads.items():
            if head in heads:
                models |= self._runs[run_id].linked_models()
        owners = set()
        for model_id in models:
            if model_id in self._owners:
                owners.add(self._owners[model_id])
        return owners
