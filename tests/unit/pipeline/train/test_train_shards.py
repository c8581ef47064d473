"""Trainings of shards leave bundles of their own, with the bytes of a whole training."""

import dataclasses
from pathlib import Path

import pytest

from core.errors import UsageError
from pipeline import bundle as bundles
from pipeline.bundle_shards import joined
from pipeline.repo import Repo
from pipeline.shard import Shard
from pipeline.train.train import train
from tests.support import factories, strategies
from tests.unit.pipeline.train.checkout import (
    DEAD,
    Training,
    bundle_folder,
    check_same_files_and_results,
    new_checkout,
    replace_housing,
    write_params,
)


def shard_folder(repo: Repo, number: int) -> Path:
    return bundle_folder(repo) / str(number)


def train_shard(repo: Repo, number: int, count: int) -> bundles.Bundle:
    """Train one of some shards, into a bundle of its own."""
    folder = shard_folder(repo, number)
    shard = Shard(number, count)
    return train(repo, [], folder, shard=shard)


@pytest.mark.slow
@pytest.mark.nightly
def test_the_shards_together_are_the_bundle_of_one_training(
    trained: Training,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    replace_housing(monkeypatch, strategies.task_of("housing", 400))
    repo = new_checkout(tmp_path / "checkout")
    for number in (1, 2):
        train_shard(repo, number, 2)
    together = Repo.open(repo.root)
    together.build = tmp_path
    with joined(bundle_folder(repo)) as folder:
        folder.rename(bundle_folder(together))
        folder.mkdir()
    bundle = bundles.read(bundle_folder(together))
    assert set(bundle.tasks) == set(trained.bundle.tasks)
    check_same_files_and_results(together, trained.repo)

    # Without shards, the bundle takes the place of both.
    write_params(repo.root, "iris")
    train(repo, [], bundle_folder(repo))
    whole = bundles.read(bundle_folder(repo))
    assert list(whole.tasks) == ["iris"]


def test_a_shard_whose_tasks_wait_for_their_data_leaves_a_bundle_without_a_task(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    waits: list[float],
) -> None:
    task = strategies.task_of("housing", 10)
    waiting = dataclasses.replace(task, sources=(DEAD,))
    replace_housing(monkeypatch, waiting)
    repo = new_checkout(tmp_path / "checkout")
    bundle = train_shard(repo, 2, 2)
    folder = shard_folder(repo, 2)
    assert bundles.read(folder) == bundle
    assert bundle.tasks == {}
    assert list(bundle.waiting) == ["housing"]


def test_a_shard_beside_a_bundle_of_all_tasks_is_refused(tmp_path: Path) -> None:
    repo = new_checkout(tmp_path / "checkout")
    commit = "a" * 40
    factories.bundle(bundle_folder(repo), commit, {"iris": 0.1})
    with pytest.raises(UsageError, match="is a bundle of all tasks: delete it"):
        train_shard(repo, 1, 2)


def test_more_shards_than_tasks_are_refused(tmp_path: Path) -> None:
    repo = new_checkout(tmp_path / "checkout")
    with pytest.raises(UsageError, match="2 tasks are too few for 3 shards"):
        train_shard(repo, 3, 3)
