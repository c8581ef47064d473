"""Thinning the history: what is in service and its lineage stays, the rest gets sparser with age.

A family is a parent run with all its children. Kept are:

1. each family one of whose runs was ever promoted, and each whose models a kept family uses;
2. each family that started within the last `days`;
3. the newest `newest` families of each experiment;
4. of the older ones the first of each month of each experiment.

All others go, each as a whole. Git still knows them: `git log --diff-filter=D -- mlruns/`.
"""

import os
import shutil
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pipeline.history import layout, registry, runfile
from pipeline.history.runfile import Run

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
    runs = {id: runfile.load(folder / layout.RUN_FILE) for id, folder in folders.items()}
    promoted = {
        promotion.run_id
        for model in registry.models(mlruns)
        for promotion in registry.versions(mlruns, model)
    }
    limit = ((now or datetime.now(UTC)) - timedelta(days=days)).timestamp() * 1000
    kept = _kept(runs, promoted, int(limit), newest)
    going = [folder for run_id, folder in folders.items() if run_id not in kept]
    if not dry_run:
        aside = mlruns / layout.LOCAL / "pruned"
        shutil.rmtree(aside, ignore_errors=True)
        aside.mkdir(parents=True)
        # Children first, so that a call that is cut short leaves none without its parent.
        for folder in sorted(going, key=lambda folder: runs[folder.name].parent is None):
            os.replace(folder, aside / folder.name)
        shutil.rmtree(aside)
    return going


def _kept(runs: dict[str, Run], promoted: set[str], limit: int, newest: int) -> set[str]:
    """Return the ids of the runs that stay; `limit` is in milliseconds since the epoch, UTC."""
    families: dict[str, list[Run]] = defaultdict(list)
    for run in runs.values():
        families[_head(run, runs)].append(run)
    by_experiment: dict[str, list[str]] = defaultdict(list)
    for head in sorted(families, key=lambda head: (runs[head].started, head)):
        by_experiment[runs[head].experiment].append(head)

    keep = {_head(runs[run_id], runs) for run_id in promoted & runs.keys()}
    for heads in by_experiment.values():
        keep.update(heads[max(0, len(heads) - newest) :])
        months: dict[str, str] = {}
        for head in heads:
            if runs[head].started >= limit:
                keep.add(head)
            months.setdefault(
                f"{datetime.fromtimestamp(runs[head].started / 1000, UTC):%Y-%m}", head
            )
        keep.update(months.values())

    owners = {model.model_id: run for run in runs.values() for model in run.models}
    new = keep
    while new:  # the families that the newly kept ones use
        used = {model for head in new for run in families[head] for model in _uses(run)}
        new = {_head(owners[model], runs) for model in used & owners.keys()} - keep
        keep |= new
    return {run.run_id for head in keep for run in families[head]}


def _head(run: Run, runs: dict[str, Run]) -> str:
    """Return the id of the run that a run's family starts with."""
    seen = {run.run_id}
    while run.parent in runs and run.parent not in seen:
        run = runs[run.parent]
        seen.add(run.run_id)
    return run.run_id


def _uses(run: Run) -> set[str]:
    return {*run.model_inputs, *(output.model_id for output in run.model_outputs)}
