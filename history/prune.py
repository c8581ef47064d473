"""Delete old run folders: lineages of what is in service stay, the rest gets sparser
with age.

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
from datetime import UTC, datetime, timedelta
from itertools import groupby
from pathlib import Path

from core.files import emptied
from history import layout, registry, runfile
from history.runfile import Run

DAYS = 30
NEWEST = 20


def prune(
    mlruns: Path,
    days: int = DAYS,
    newest: int = NEWEST,
    now: datetime | None = None,
    dry_run: bool = False,
) -> list[Path]:
    """Delete the run folders that the policy above lets go and return them.

    Each vanishes whole or not at all; a killed call is finished by the next.

    Raises:
        PipelineError: a file of the history is damaged. Nothing has been deleted then.
    """
    folders = layout.run_folders(mlruns)
    runs = {
        id: runfile.load(folder / layout.RUN_FILE) for id, folder in folders.items()
    }
    heads = {run.run_id: _head(run, runs) for run in runs.values()}
    since = (now or datetime.now(UTC)) - timedelta(days=days)
    kept = _kept_by_age([runs[head] for head in set(heads.values())], since, newest)
    for model in registry.models(mlruns):
        kept |= {promotion.run_id for promotion in registry.versions(mlruns, model)}
    kept = _with_lineage(kept, runs, heads)
    # Children first, so that a call that is cut short leaves none without its parent.
    going = sorted(
        runs.keys() - kept, key=lambda id: (runs[id].parent is None, folders[id])
    )
    if not dry_run:
        with emptied(mlruns / layout.LOCAL / "pruned") as aside:
            for run_id in going:
                os.replace(folders[run_id], aside / run_id)
    return [folders[run_id] for run_id in going]


def _kept_by_age(heads: list[Run], since: datetime, newest: int) -> set[str]:
    """Return the ids of the runs at the head of the families that rules 2 to 4 keep."""
    kept = [head for head in heads if head.started >= since.timestamp() * 1000]
    newest_first = sorted(
        heads, key=lambda head: (head.experiment, head.started, head.run_id)
    )
    newest_first.reverse()
    for _, known in groupby(newest_first, lambda head: head.experiment):
        of_experiment = list(known)
        kept += of_experiment[:newest]
        # Of those with the same month the last stays, which is the first that started.
        kept += {
            f"{layout.time(head.started):%Y-%m}": head for head in of_experiment
        }.values()
    return {head.run_id for head in kept}


def _with_lineage(
    run_ids: set[str], runs: dict[str, Run], heads: dict[str, str]
) -> set[str]:
    """Return the runs of the families of some runs, and of all whose models they use."""
    owners = {
        model.model_id: run.run_id for run in runs.values() for model in run.models
    }
    kept: set[str] = set()
    while new := {heads[run_id] for run_id in run_ids & runs.keys()} - kept:
        kept |= new
        members = (run for run in runs.values() if heads[run.run_id] in new)
        run_ids = {
            owners.get(model, "") for run in members for model in run.linked_models()
        }
    return {run_id for run_id, head in heads.items() if head in kept}


def _head(run: Run, runs: dict[str, Run]) -> str:
    """Return the id of the run that a run's family starts with."""
    seen = {run.run_id}
    while run.parent in runs and run.parent not in seen:
        run = runs[run.parent]
        seen.add(run.run_id)
    return run.run_id
