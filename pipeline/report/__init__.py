"""The history as tables and charts that can be read without a server."""

from pathlib import Path

from core.files import write_atomic
from history import registry
from pipeline import tasks
from pipeline.repo import Repo
from pipeline.report import chart, comparison
from pipeline.report.pushes import History, events
from pipeline.report.templates import render

SHOWN = 20  # pushes of each task on the leaderboard


def write(repo: Repo) -> list[Path]:
    """Write the comparison, a chart per task and the leaderboard; return their paths.

    The same history gives the same bytes.
    """
    history = History.read(repo.mlruns)
    tried = [tasks.load(name) for name in tasks.names() if history.of(name)]
    files = {repo.results / "model_comparison.csv": comparison.to_csv(tried, history)}
    sections = []
    for task in tried:
        versions = registry.versions(repo.mlruns, task.name)
        pushes = events(task, history, versions)
        files[repo.results / f"{task.name}.svg"] = chart.draw(task, pushes)
        sections.append((task, versions, pushes))
    files[repo.mlruns / "README.md"] = render(
        "leaderboard.md", sections=sections, history=history, shown=SHOWN
    )
    for path, content in files.items():
        write_atomic(path, content)
    return list(files)
