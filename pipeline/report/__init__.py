"""The history as tables and charts that can be read without a server."""

from pathlib import Path

from core.files import write_atomic
from history import History
from pipeline import tasks
from pipeline.repo import Repo
from pipeline.report import chart, comparison, day_summaries
from pipeline.report.day_summaries import Days
from pipeline.report.pushes import Runs, events
from pipeline.report.templates import render

SHOWN = 20  # pushes of each task on the leaderboard


def write(repo: Repo, history: History, days: Days | None = None) -> list[Path]:
    """Write the comparison, a chart per task and the leaderboard; return their paths.

    The same history gives the same bytes. The summaries of the days are written too.

    Args:
        days: the summaries of the days; read from the history if it is None.
    """
    if days is None:
        days = day_summaries.read(history)
    day_summaries.write(days, day_summaries.folder(repo))
    runs = Runs.read(history, days)
    tried = []
    for name in tasks.names():
        if runs.has(name):
            tried.append(tasks.load(name))
    table = repo.results / "model_comparison.csv"
    files = {table: comparison.to_csv(tried, runs)}
    sections = []
    for task in tried:
        versions = history.promotions(task.name)
        pushes = events(task, runs, versions)
        picture = repo.results / f"{task.name}.svg"
        files[picture] = chart.draw(task, pushes)
        sections.append((task, versions, pushes))
    files[repo.mlruns / "README.md"] = render(
        "leaderboard.md", sections=sections, runs=runs, shown=SHOWN
    )
    for path, content in files.items():
        write_atomic(path, content)
    return list(files)
