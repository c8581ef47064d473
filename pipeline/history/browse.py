"""The history for people in a terminal."""

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

from rich.console import Group
from rich.markup import escape
from rich.table import Table

from pipeline.errors import UsageError
from pipeline.history import layout, registry, runfile
from pipeline.history.runfile import Run


def newest(mlruns: Path, experiment: str | None, limit: int) -> list[Run]:
    """Return the newest runs of one experiment or all, newest first; reads only the days needed."""
    days = layout.day_folders(mlruns)
    if experiment:
        days = [day for day in days if day.parent.name == layout.experiment_folder(experiment)]
    by_date: dict[str, list[Path]] = {}
    for day in days:
        by_date.setdefault(day.name.partition("_")[0], []).append(day)
    return list(islice(_newest_first(by_date), limit))


def _newest_first(by_date: dict[str, list[Path]]) -> Iterator[Run]:
    for date in sorted(by_date, reverse=True):
        files = [d / name / layout.RUN_FILE for d in by_date[date] for name in layout.folders(d)]
        yield from sorted(map(runfile.load, files), key=lambda run: (-run.started, run.run_id))


def find(mlruns: Path, run_id: str) -> Run:
    """Return the run whose id starts so.

    Raises:
        UsageError: there is none, or more than one.
    """
    days = layout.run_days(mlruns)
    found = [known for known in days if known.startswith(run_id)]
    if len(found) != 1:
        many = f"{len(found)} run ids start" if found else "no run id starts"
        raise UsageError(f"{many} with {run_id!r}: see `pipeline history list`.")
    return runfile.load(days[found[0]] / found[0] / layout.RUN_FILE)


def promotions(mlruns: Path) -> dict[str, list[str]]:
    """Return what each promoted run became, such as `housing v3 (champion)`, by run id."""
    found: dict[str, list[str]] = {}
    for model in registry.models(mlruns):
        known = registry.versions(mlruns, model)
        for promotion in known:
            mark = " (champion)" if promotion is known[-1] else ""
            found.setdefault(promotion.run_id, []).append(f"{model} v{promotion.version}{mark}")
    return found


def run_table(runs: list[Run], promoted: dict[str, list[str]]) -> Table:
    """Lay out runs, one a line."""
    table = Table(box=None, pad_edge=False)
    for title in ("run", "started", "experiment", "name", "result"):
        table.add_column(title, no_wrap=title != "result")
    for run in runs:
        judged = next((key[5:] for key in run.metrics if key.startswith("fold_")), "")
        value = run.latest(f"holdout_{judged}")
        result = run.tags.get("gate", run.status) if value is None else f"{judged} {value:.4f}"
        name = f"{'└ ' if run.parent else ''}{run.name}"
        became = ", ".join([result, *promoted.get(run.run_id, [])])
        cells = (run.run_id[:8], _time(run.started)[5:], run.experiment, name, became)
        table.add_row(*map(escape, cells))
    return table


def run_page(run: Run, folder: Path, promoted: list[str]) -> Group:
    """Lay out all of one run; `folder` is where it lies."""
    duration = f"{(run.ended - run.started) / 1000:.1f} s" if run.ended is not None else "not ended"
    facts = {
        "run": run.run_id,
        "name": run.name,
        "experiment": run.experiment,
        "parent": run.parent or "",
        "status": f"{run.status}, {_time(run.started)} UTC, {duration}, by {run.user}",
        "promoted as": ", ".join(promoted),
        "folder": str(folder),
    }
    metrics = {
        key: f"{run.latest(key)}" + (f"  ({len(points)} points)" if len(points) > 1 else "")
        for key, points in run.metrics.items()
    }
    data = {known.name: f"{known.digest}  {known.source}" for known in run.datasets}
    models = {model.model_id: f"{model.name}, {len(model.artifacts)} files" for model in run.models}
    artifacts = {file.path: f"{file.size:,} bytes  {file.sha256[:12]}" for file in run.artifacts}
    sections = {"": facts, "params": run.params, "metrics": metrics, "tags": run.tags}
    sections |= {"data": data, "models": models, "artifacts": artifacts}
    return Group(*(_section(title, lines) for title, lines in sections.items() if lines))


def _section(title: str, lines: dict[str, str]) -> Table:
    table = Table(title=title, title_justify="left", show_header=False, box=None)
    for key, value in lines.items():
        if value:
            table.add_row(*map(escape, (key, value)))
    return table


def _time(milliseconds: int) -> str:
    return f"{datetime.fromtimestamp(milliseconds / 1000, UTC):%Y-%m-%d %H:%M}"
