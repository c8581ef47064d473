"""The bundles of a training's shards are published as one, by a single commit."""

import shutil
from pathlib import Path

import pytest

from core.errors import PipelineError
from pipeline import bundle as bundles
from pipeline.verification import verify
from tests.support.publishing_team import BETTER, GOOD, Team, champions


@pytest.fixture
def folder(team: Team, tmp_path: Path) -> Path:
    """A folder with the bundles of two shards."""
    together = tmp_path / "shards"
    together.mkdir()
    first = team.write_bundle(iris=BETTER)
    first.rename(together / "1")
    second = team.write_bundle(housing=GOOD, credit=GOOD)
    second.rename(together / "2")
    return together


def rewrite(folder: Path, **changes: object) -> None:
    """Change what describes a bundle."""
    bundle = bundles.read(folder)
    changed = bundle.model_copy(update=changes)
    bundles.write(folder, changed)


def test_one_commit_has_the_tasks_of_all_shards(team: Team, folder: Path) -> None:
    rewrite(folder / "1", waiting={"wine": "example.org"})
    commit, message = team.publish_bundle(folder)
    subject = message.splitlines()[0]
    promoted = "credit v1 promoted, housing v1 promoted, iris v1 promoted"
    assert subject == f"chore(publish): {promoted}"
    assert "Mlops-Waiting: wine example.org" in message
    seen = team.origin
    assert champions(seen) == {"credit": 1, "housing": 1, "iris": 1}
    assert verify(seen) == []
    # The same bundles are not published a second time.
    again, sentence = team.publish_bundle(folder)
    assert again == commit
    assert "was already published" in sentence


def test_shards_of_several_commits_are_refused(team: Team, folder: Path) -> None:
    rewrite(folder / "2", commit="f" * 40)
    with pytest.raises(
        PipelineError, match="bundles of several commits .*ffffffffffff"
    ):
        team.publish_bundle(folder)


def test_a_task_in_two_shards_is_refused(team: Team, folder: Path) -> None:
    shutil.copytree(folder / "1", folder / "3")
    with pytest.raises(PipelineError, match="two bundles with the task iris: delete"):
        team.publish_bundle(folder)


def test_changes_that_one_shard_was_trained_with_are_refused(
    team: Team, folder: Path
) -> None:
    rewrite(folder / "2", dirty=["params.yaml"])
    with pytest.raises(PipelineError, match="uncommitted changes .params.yaml"):
        team.publish_bundle(folder)


def test_shards_without_any_task_are_refused(team: Team, folder: Path) -> None:
    for shard in ("1", "2"):
        rewrite(folder / shard, tasks={}, waiting={"wine": "example.org"})
    with pytest.raises(PipelineError, match="nothing was trained.*waiting are wine"):
        team.publish_bundle(folder)
