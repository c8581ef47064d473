"""Writes the site: static pages, and the data files that they load."""

from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from core.errors import PipelineError
from core.files import to_json, write_atomic
from history import History
from pipeline import tasks
from pipeline.repo import Repo
from pipeline.report import day_summaries, promoted_runs
from pipeline.report.pushes import Event, Runs
from pipeline.site import rendering, scripts, target
from pipeline.site.experiments import Experiment
from pipeline.site.rendering import Frame
from pipeline.site.run_files import RunFiles
from pipeline.site.task_files import TaskHistory
from pipeline.site.task_pages import TaskPages

NEWEST_PUSHES = 20  # on the first page
# Pages that show what their address names; the templates have the same names.
VIEWS = ("runs.html", "run.html", "compare.html", "parallel.html")


def write(repo: Repo, history: History, folder: Path, documentation: str = "") -> Path:
    """Write the site of a history into a folder, and return its first page.

    The same history gives the same bytes.

    Args:
        folder: one that is new, empty or an earlier site, which is replaced.
        documentation: a link to the documentation for the top of each page.

    Raises:
        UsageError: the folder has something else in it.
        PipelineError: the history has no run, or a run is damaged or missing.
    """
    with target.replacing_folder(folder) as site:
        _require_runs(history)
        days = day_summaries.read(history, day_summaries.folder(repo))
        runs = Runs.read(history, days)
        experiments = _write_runs(history, site)
        sections = _sections(history, runs)
        titles = [(section.slug, section.task.title) for section in sections]
        frame = Frame(documentation, titles)
        for section in sections:
            own = [entry for entry in experiments if entry.task == section.task]
            TaskPages(history, site, section, runs, own, frame).write()
        _write_overview(site, sections, experiments, runs, frame)
        for name in VIEWS:
            rendering.write_page(site, name, name, frame=frame)
        rendering.copy_assets(site)
        marker = {
            "format": 1,
            "program": target.PROGRAM,
            "runs": len(history),
        }
        write_atomic(site / target.MARKER, to_json(marker))
    return folder / "index.html"


def _require_runs(history: History) -> None:
    """Refuse a history without runs, or without those that were promoted."""
    if not len(history):
        raise PipelineError(
            f"{history.path} has no run: train and publish first, or"
            f" {promoted_runs.BRING_RUNS}."
        )
    promoted_runs.require(history)


def _write_runs(history: History, site: Path) -> list[Experiment]:
    """Write the data files of all runs and their index; show the progress."""
    console = Console(stderr=True)
    progress = Progress(
        console=console, transient=True, disable=not console.is_terminal
    )
    with progress:
        bar = progress.add_task("Writing runs", total=len(history))
        files = RunFiles(
            history,
            site,
            _versions(history),
            lambda count: progress.advance(bar, count),
        )
        experiments = files.write()
    index = [experiment.describe() for experiment in experiments]
    scripts.write(site, "index", index)
    return experiments


def _versions(history: History) -> dict[str, list[str]]:
    """Return what runs were promoted to, such as `housing v3`, by run ID."""
    versions: dict[str, list[str]] = {}
    for model in history.models():
        for promotion in history.promotions(model):
            title = f"{model} v{promotion.version}"
            versions.setdefault(promotion.run_id, []).append(title)
    return versions


def _sections(history: History, runs: Runs) -> list[TaskHistory]:
    """Return the tasks that have a run."""
    sections = []
    for name in tasks.names():
        if runs.has(name):
            task = tasks.load(name)
            sections.append(TaskHistory.read(history, runs, task))
    return sections


def _write_overview(
    site: Path,
    sections: list[TaskHistory],
    experiments: list[Experiment],
    runs: Runs,
    frame: Frame,
) -> None:
    """Write the first page."""
    newest = sorted(_pushes(sections), key=_newest_first)
    rendering.write_page(
        site,
        "index.html",
        "index.html",
        frame=frame,
        sections=sections,
        experiments=experiments,
        runs=runs,
        newest=newest[:NEWEST_PUSHES],
    )


def _pushes(sections: list[TaskHistory]) -> Iterator[tuple[TaskHistory, Event]]:
    for section in sections:
        for event in section.pushes[-NEWEST_PUSHES:]:
            yield section, event


def _newest_first(row: tuple[TaskHistory, Event]) -> int:
    _, event = row
    return -event.when
