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
    if not History.open(ROOT / "mlruns").folders:
        pytest.skip("this copy has no run yet")
    folder = tmp_path_factory.mktemp("soak")
    origin = folder / "origin.git"
    repository.make(ROOT, origin, PUSHES)
    git(folder, "clone", "--quiet", "--no-checkout", str(origin), "clone")
    path = folder / "clone"
    sparse = (
        "sparse-checkout",
        "set",
        "--no-cone",
        "--stdin",
    )
    git(path, *sparse, stdin="/mlruns/\n")
    git(path, "checkout", "--quiet")
    return path


@pytest.fixture
def real() -> History:
    return History.open(ROOT / "mlruns")


@pytest.fixture
def history(clone: Path) -> History:
    """The runs of this repository, and the invented ones before them."""
    return History.open(clone / "mlruns")


def invented_runs(history: History, real: History) -> set[str]:
    """Return the IDs of the runs that were invented."""
    return history.folders.keys() - real.folders.keys()


def day_of(folder: Path) -> str:
    """Return the day below which a run's folder lies."""
    return folder.parent.name


def test_every_invented_run_is_valid(
    history: History,
    real: History,
) -> None:
    invented = invented_runs(history, real)
    pushes = []
    experiments = set()
    for run in history.runs():
        if run.run_id in invented and not run.parent:
            pushes.append(run)
            experiments.add(run.experiment)
    assert len(pushes) == PUSHES * len(experiments)
    # Those of the last push, which lie on another day than the first.
    days = {day_of(folder) for folder in history.folders.values()}
    _, second_day, *_ = sorted(days)
    checked = []
    for run_id in invented:
        folder = history.folders[run_id]
        if day_of(folder) == second_day:
            checked.append(run_id)
    assert checked
    assert history.verify(checked) == []


def test_the_pushes_differ_and_come_before_the_real_ones(
    clone: Path,
    history: History,
    real: History,
) -> None:
    oldest = min(run.started for run in real.summaries())
    commits: dict[str, set[str]] = {}
    for run_id in invented_runs(history, real):
        run = history.run(run_id)
        assert run.started < oldest
        if run.parent is None:
            commit = run.tags["mlflow.source.git.commit"]
            commits.setdefault(run.experiment, set()).add(commit)
    assert {len(different) for different in commits.values()} == {PUSHES}
    log = git(clone, "log", "--format=%s", "--grep=^chore(publish): push")
    assert len(log.splitlines()) == PUSHES


def test_the_table_has_old_and_new_figures() -> None:
    measured = {"publish": 4.25}
    printed = table.of(1000, measured)
    columns = {}
    for column in printed.columns:
        header = str(column.header)
        columns[header] = list(column.cells)
    keys = [row.key for row in table.ROWS]
    place = keys.index("publish")
    before = columns["before, 1,000"]
    now = columns["now, 1,000"]
    assert before[place] == "69"
    assert now[place] == "4.2"
    assert now[0] == "not measured"
