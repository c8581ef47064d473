"""The repository of `nox -s soak` is a valid one, with as many pushes as asked for."""

from pathlib import Path

import pytest

from core.git import git
from history import History
from tests.paths import ROOT
from tools.soak import repository, table

PUSHES = 30  # more than one day of them


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a checkout of the runs that were invented."""
    folder = tmp_path_factory.mktemp("soak")
    origin = folder / "origin.git"
    repository.make(ROOT, origin, PUSHES)
    git(folder, "clone", "--quiet", "--no-checkout", str(origin), "clone")
    path = folder / "clone"
    git(path, "sparse-checkout", "set", "--no-cone", "--stdin", stdin="/mlruns/\n")
    git(path, "checkout", "--quiet")
    return path


def test_every_invented_run_is_valid(clone: Path) -> None:
    real = History.open(ROOT / "mlruns")
    history = History.open(clone / "mlruns")
    invented = history.folders.keys() - real.folders.keys()
    parents = [run for run in history.runs() if not run.parent]
    pushes = [run for run in parents if run.run_id in invented]
    assert len(pushes) == PUSHES * len({run.experiment for run in pushes})
    # Those of the last push, which lie on another day than the first.
    days = sorted({folder.parent.name for folder in history.folders.values()})
    checked = []
    for run_id in invented:
        if history.folders[run_id].parent.name == days[1]:
            checked.append(run_id)
    assert checked
    assert history.verify(checked) == []


def test_the_pushes_differ_and_come_before_the_real_ones(clone: Path) -> None:
    real = History.open(ROOT / "mlruns")
    oldest = min(run.started for run in real.summaries())
    history = History.open(clone / "mlruns")
    commits = set()
    for run_id in history.folders.keys() - real.folders.keys():
        run = history.run(run_id)
        assert run.started < oldest
        if run.parent is None:
            commits.add(run.tags["mlflow.source.git.commit"])
    assert len(commits) == PUSHES
    log = git(clone, "log", "--format=%s", "--grep=^chore(publish): push")
    assert len(log.splitlines()) == PUSHES


def test_the_table_has_old_and_new_figures() -> None:
    printed = table.of(1000, {"publish": 4.25})
    columns = {str(column.header): list(column.cells) for column in printed.columns}
    place = [row.key for row in table.ROWS].index("publish")
    assert columns["before, 1,000"][place] == "69"
    assert columns["now, 1,000"][place] == "4.2"
    assert columns["now, 1,000"][0] == "not measured"
