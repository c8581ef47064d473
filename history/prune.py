"""Delete old run folders; what is in service keeps its lineage, older runs get sparser.

A family is a parent run with all its children. What stays:

1. families with a run that was ever promoted, and those whose models a family that
stays uses;

2. families that started within the last 30 days;

3. the newest 20 families of each experiment;

4. of the older ones the first of each month of each experiment.

All others go, each as a whole. Git still knows them: `git log --diff-filter=D --
mlruns/`.
"""

import os
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from itertools import groupby
from pathlib import Path

from core.files import emptied
from history import layout
from history.history import History
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
    """Delete the run folders that the policy above lets go and return them.

    Each vanishes whole or not at all; the next call finishes what a killed one left.

    Raises:
        PipelineError: a file of the history is damaged. Nothing has been deleted then.
    """
    runs = {run.run_id: run for run in history.runs()}
    heads = {run_id: _head(run, runs) for run_id, run in runs.items()}
    since = (now or datetime.now(UTC)) - timedelta(days=days)
    first_runs = [runs[head] for head in set(heads.values())]
    kept = _kept_by_age(first_runs, since, newest)
    for model in history.models():
        kept.update(promotion.run_id for promotion in history.promotions(model))
    kept = _with_lineage(kept, runs, heads)

    def children_first(run_id: str) -> tuple[bool, Path]:
        """A call that is cut short leaves no child without its parent."""
        return runs[run_id].parent is None, history.folders[run_id]

    deleted = sorted(runs.keys() - kept, key=children_first)
    folders = [history.folders[run_id] for run_id in deleted]
    if not dry_run:
        with emptied(history.path / layout.LOCAL / "pruned") as aside:
            for folder in folders:
                os.replace(folder, aside / folder.name)
                del history.folders[folder.name]
    return folders


def _kept_by_age(heads: Iterable[Run], since: datetime, newest: int) -> set[str]:
    """Return the IDs of the heads of the families that rules 2 to 4 keep."""
    by_age = sorted(heads, key=_experiment_and_age, reverse=True)
    kept = {head.run_id for head in by_age if head.started >= since.timestamp() * 1000}
    for _, group in groupby(by_age, _experiment):
        of_experiment = list(group)
        kept.update(head.run_id for head in of_experiment[:newest])
        first_of_month: dict[str, str] = {}
        for head in of_experiment:  # newest first, so the first of the month stays
            first_of_month[f"{layout.time(head.started):%Y-%m}"] = head.run_id
        kept.update(first_of_month.values())
    return kept


def _experiment(run: Run) -> str:
    return run.experiment


def _experiment_and_age(run: Run) -> tuple[str, int, str]:
    return run.experiment, run.started, run.run_id


def _with_lineage(
    run_ids: set[str], runs: Mapping[str, Run], heads: Mapping[str, str]
) -> set[str]:
    """Return the families of some runs, and of all runs whose models these use."""
    owners = {}
    for run in runs.values():
        for model in run.models:
            owners[model.model_id] = run.run_id
    kept: set[str] = set()
    while new := {heads[run_id] for run_id in run_ids & runs.keys()} - kept:
        kept |= new
        models: set[str] = set()
        for run_id, head in heads.items():
            if head in new:
                models |= runs[run_id].linked_models()
        run_ids = {owners[model] for model in models & owners.keys()}
    return {run_id for run_id, head in heads.items() if head in kept}


def _head(run: Run, runs: Mapping[str, Run]) -> str:
    """Return the ID of the run that a run's family starts with."""
    seen = {run.run_id}
    while run.parent and run.parent in runs and run.parent not in seen:
        run = runs[run.parent]
        seen.add(run.run_id)
    return run.run_id
