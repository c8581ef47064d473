"""Finds runs among the files of a history."""

from collections.abc import Collection
from itertools import groupby
from pathlib import Path

from core.errors import UsageError
from history import layout, registry, runfile
from history.runfile import Run, RunSummary


def newest(mlruns: Path, limit: int) -> list[Run]:
    """Return the newest runs, newest first; only the days that are needed are read."""
    days = layout.day_folders(mlruns)
    days.sort(key=layout.date, reverse=True)
    runs: list[Run] = []
    for _, folders in groupby(days, layout.date):
        if len(runs) >= limit:
            break
        runs_of_date = []
        for day in folders:
            for run_id in layout.folders(day):
                run = runfile.load(day / run_id / layout.RUN_FILE)
                runs_of_date.append(run)
        runs += sorted(runs_of_date, key=newest_first)
    return runs[:limit]


def newest_first(run: RunSummary) -> tuple[int, str]:
    """Return the key by which runs are sorted, the newest one first."""
    return -run.started, run.run_id


def match(prefix: str, run_ids: Collection[str]) -> str:
    """Return the run ID that starts with these characters.

    Raises:
        UsageError: there is none, or more than one.
    """
    matching = [run_id for run_id in run_ids if run_id.startswith(prefix)]
    if len(matching) == 1:
        return matching[0]
    if matching:
        problem = f"{len(matching)} run ids start"
    else:
        problem = "no run id starts"
    raise UsageError(f"{problem} with {prefix!r}: list the runs to see their ids.")


def versions_by_run(mlruns: Path) -> dict[str, list[str]]:
    """Return what each run was promoted to, such as `housing v3 (champion)`."""
    versions: dict[str, list[str]] = {}
    for model in registry.models(mlruns):
        promotions = registry.versions(mlruns, model)
        for promotion in promotions:
            title = f"{model} v{promotion.version}"
            if promotion is promotions[-1]:
                title += " (champion)"
            titles = versions.setdefault(promotion.run_id, [])
            titles.append(title)
    return versions
