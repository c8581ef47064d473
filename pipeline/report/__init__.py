"""The history as tables and pictures that are readable without a server."""

from pathlib import Path

from pipeline import tasks
from pipeline.files import write_atomic
from pipeline.history import registry
from pipeline.repo import Repo
from pipeline.report import comparison, leaderboard, pushes


def write(repo: Repo) -> list[Path]:
    """Write the comparison, each task's picture and the leaderboard from the history's files.

    The same history gives the same bytes.
    """
    history = pushes.read(repo.mlruns)
    known = [tasks.load(name) for name in tasks.names() if history.of(name)]
    files = {repo.results / "model_comparison.csv": comparison.render(known, history)}
    sections = []
    for task in known:
        versions = registry.versions(repo.mlruns, task.name)
        events = pushes.events(task, history, versions)
        files[repo.results / f"{task.name}.svg"] = leaderboard.picture(task, events)
        sections.append(leaderboard.section(task, history, versions, events))
    files[repo.mlruns / "README.md"] = leaderboard.page(sections, len(history.runs))
    for path, content in files.items():
        write_atomic(path, content)
    return list(files)
