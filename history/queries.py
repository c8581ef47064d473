"""The history for people in a terminal."""

from itertools import groupby
from pathlib import Path

from rich.text import Text

from core.errors import UsageError
from history import layout, registry, runfile
from history.runfile import Run


def newest(mlruns: Path, limit: int) -> list[Run]:
    """Return the newest runs, newest first; reads only the days that are needed."""
    days = sorted(layout.day_folders(mlruns), key=layout.date, reverse=True)
    found: list[Run] = []
    for _, same_date in groupby(days, layout.date):
        if len(found) < limit:
            files = (
                d / id / layout.RUN_FILE for d in same_date for id in layout.folders(d)
            )
            found += sorted(
                map(runfile.load, files), key=lambda run: (-run.started, run.run_id)
            )
    return found[:limit]


def find(mlruns: Path, run_id: str) -> Path:
    """Return the folder of the run whose id starts so.

    Raises:
        UsageError: there is none, or more than one.
    """
    days = layout.run_days(mlruns)
    found = [known for known in days if known.startswith(run_id)]
    if len(found) != 1:
        many = f"{len(found)} run ids start" if found else "no run id starts"
        raise UsageError(f"{many} with {run_id!r}: see `pipeline history list`.")
    return days[found[0]] / found[0]


def promotions(mlruns: Path) -> dict[str, list[str]]:
    """Return what each promoted run became, such as `housing v3 (champion)`, by run id."""
    found: dict[str, list[str]] = {}
    for model in registry.models(mlruns):
        known = registry.versions(mlruns, model)
        for promotion in known:
            mark = " (champion)" if promotion is known[-1] else ""
            found.setdefault(promotion.run_id, []).append(
                f"{model} v{promotion.version}{mark}"
            )
    return found


def run_table(runs: list[Run], promoted: dict[str, list[str]]) -> Text:
    """Lay out runs, one a line."""
    return _text("runs.txt", runs=runs, promoted=promoted)


def run_page(run: Run, folder: Path, became: list[str]) -> Text:
    """Lay out all of one run; `folder` is where it lies, `became` what it was promoted
    as.
    """
    return _text("run.txt", run=run, folder=folder, became=became)


def _text(template: str, **values: object) -> Text:
    from pipeline.report.templates import (
        render,  # pandas comes along, which takes a second
    )

    return Text(render(template, **values), end="")
