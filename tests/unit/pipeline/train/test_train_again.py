"""`pipeline train` where a training was before: in another folder, with other data."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from core.errors import UsageError
from pipeline import bundle as bundles
from pipeline import tasks
from pipeline.data import table as tables
from pipeline.repo import Repo
from pipeline.train import backend
from pipeline.train.train import train
from tests.conftest import commit_all
from tests.paths import ROOT
from tests.support import strategies
from tests.support.waiting import wait_until
from tests.unit.pipeline.train.checkout import (
    Training,
    bundle_folder,
    digests,
    new_checkout,
    parent_of,
    replace_housing,
    results_of,
    write_params,
)

pytestmark = pytest.mark.slow
TRAIN_IRIS = """
import sys
from pathlib import Path
from pipeline.repo import Repo
from pipeline.train.train import train

repo = Repo.open(Path(sys.argv[1]))
train(repo, ["iris"], repo.build / "bundle")
"""


def copy(trained: Training, target: Path) -> Repo:
    shutil.copytree(trained.repo.root, target, symlinks=True)
    return Repo.open(target)


def grow_iris(repo: Repo) -> str:
    """Write a snapshot of iris with 200 rows, and return its digest."""
    table = strategies.table(tasks.load("iris"), 200)
    tables.write(repo.data / "iris.csv.gz", table)
    return tables.digest(table)


def test_another_folder_and_a_process_for_each_core_give_the_same_bytes(
    trained: Training, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace_housing(monkeypatch, strategies.task_of("housing", 400))
    # `trained` was done in one process, since all its tasks have few rows.
    monkeypatch.setattr(backend, "FEW_ROWS", 0)
    other = new_checkout(tmp_path / "elsewhere")
    train(other, [], bundle_folder(other))
    files = digests(other)
    assert files == digests(trained.repo)
    artifacts = 4 * 2  # two of each candidate that was fitted
    models = 2
    assert len(files) == artifacts + models
    assert results_of(other) == results_of(trained.repo)


def test_an_older_bundle_is_replaced_and_a_moved_checkout_gets_a_new_store(
    trained: Training, tmp_path: Path
) -> None:
    repo = copy(trained, tmp_path / "moved")
    params = repo.params.read_text("utf-8")
    repo.params.write_text(params + "\n")
    folder = bundle_folder(repo)
    bundle = train(repo, ["iris"], folder)
    assert bundle.dirty == ["params.yaml"]
    assert bundles.read(folder) == bundle
    assert list(bundle.tasks) == ["iris"]
    names = {path.name for path in repo.build.iterdir()}
    assert names - {"matplotlib"} == {"bundle", "tracking", "train.lock"}


def test_a_changed_snapshot_makes_the_bundle_dirty(tmp_path: Path) -> None:
    repo = new_checkout(tmp_path / "checkout")
    digest = grow_iris(repo)
    bundle = train(repo, ["iris"], bundle_folder(repo))
    assert bundle.dirty == ["data/iris.csv.gz"]
    assert bundle.tasks["iris"].data_digest == digest
    assert not (bundle_folder(repo) / "data").exists()


def test_refreshed_data_come_into_the_bundle(tmp_path: Path) -> None:
    repo = new_checkout(tmp_path / "checkout")
    grow_iris(repo)
    commit_all(repo.root, "feat: grow")
    folder = bundle_folder(repo)
    bundle = train(repo, ["iris"], folder, refresh=True)
    assert bundle.dirty == []
    task = tasks.load("iris")
    assert bundle.tasks["iris"].data_digest == task.digest
    snapshot = tables.read(folder / "data" / "iris.csv.gz")
    assert len(snapshot) == 150


@pytest.mark.parametrize(
    ("names", "refresh", "rows"),
    [
        ("iris", "true", 150),
        ("", "false", 200),
    ],
)
@pytest.mark.nightly
def test_the_command_reads_the_variables_of_a_workflow(
    tmp_path: Path,
    names: str,
    refresh: str,
    rows: int,
) -> None:
    repo = new_checkout(tmp_path / "checkout")
    write_params(repo.root, "iris")
    grow_iris(repo)
    commit_all(repo.root, "feat: grow")
    variables = {"MLOPS_TASKS": names, "MLOPS_REFRESH_DATA": refresh}
    subprocess.run(
        [sys.executable, "-m", "pipeline", "--repo", str(repo.root), "train"],
        cwd=ROOT,
        env=os.environ | variables,
        check=True,
    )
    folder = bundle_folder(repo)
    bundle = bundles.read(folder)
    assert list(bundle.tasks) == ["iris"]
    holdout = tables.read(folder / "holdout" / "iris.csv.gz")
    parent = parent_of(repo, "iris")
    assert parent.latest("rows_train") == rows - len(holdout)


def test_a_killed_training_leaves_no_bundle_of_an_older_one(
    trained: Training, tmp_path: Path
) -> None:
    repo = copy(trained, tmp_path / "killed")
    folder = bundle_folder(repo)
    before = bundles.read(folder)
    child = subprocess.Popen(
        [sys.executable, "-c", TRAIN_IRIS, str(repo.root)],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        start_new_session=True,
    )

    def has_begun() -> bool:
        assert child.poll() is None
        return any(repo.build.glob(".part-*/new/holdout/*"))

    try:
        wait_until(has_begun)
    finally:
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()
    message = "has no finished bundle: run `pipeline train` first"
    with pytest.raises(UsageError, match=message):
        bundles.read(folder)
    bundle = train(repo, ["iris"], folder)
    assert bundle.created > before.created
    assert not list(repo.build.glob(".part-*"))
