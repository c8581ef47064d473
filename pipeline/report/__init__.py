"""The history as tables and charts that can be read without a server."""

from pathlib import Path

from core.files import write_atomic
from history import History
from pipeline import tasks
from pipeline.repo import Repo
from pipeline.report import chart, comparison
from pipeline.report.pushes import Runs, events
from pipeline.report.templates import render

SHOWN = 20  # pushes of each task on the leaderboard


def write(repo: Repo, history: History) -> list[Path]:
    """Write the comparison, a chart per task and the leaderboard; return their paths.

    The same history gives the same bytes.
    """
    runs = Runs.read(history)
    tried = []
    for name in tasks.names():
        if runs.of(name):
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
