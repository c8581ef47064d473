"""What cannot land: endless races, refused pushes, and remotes without the commits."""

from pathlib import Path

import pytest
from filelock import FileLock

from core.errors import PipelineError
from core.git import git
from pipeline.publish import loop
from pipeline.publish.loop import Change, land
from pipeline.publish.tip import Tip
from pipeline.repo import Repo
from tests.conftest import Clone, commit_all, posix
from tests.support.publishing import note, reject_pushes, show


def test_a_race_that_never_ends_is_given_up(
    clone: Clone, origin: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "ATTEMPTS", 3)
    mine = clone("mine")
    rival = clone("rival")
    attempts = []

    def change(tip: Repo) -> Change:
        attempts.append(tip)
        land(rival, "origin", "main", note(f"rival-{len(attempts)}"))
        return note("mine")(tip)

    message = "gave up after 3 attempts.*nothing is lost"
    with pytest.raises(PipelineError, match=message):
        land(mine, "origin", "main", change)
    assert show(origin, "results/count") == "3"
    assert "mine.txt" not in git(origin, "ls-tree", "--name-only", "main:results")


@posix  # a hook is a program by its mode
def test_a_protected_branch_is_named_with_its_setting_and_three_ways_out(
    clone: Clone, origin: Path
) -> None:
    reject_pushes(
        origin, "error: GH006: Protected branch update failed for refs/heads/main."
    )
    tip = git(origin, "rev-parse", "main")
    with pytest.raises(PipelineError) as caught:
        land(clone("mine"), "origin", "main", note("mine"))
    message = str(caught.value)
    assert "GH006" in message
    assert "Settings > Rules" in message
    for way_out in ("Restrict deletions", "--branch", "deploy key"):
        assert way_out in message
    assert git(origin, "rev-parse", "main") == tip


@pytest.mark.parametrize(
    ("remote", "message"),
    [
        ("nowhere", "cannot fetch from the remote nowhere"),
        ("https://me:pass-word@127.0.0.1:9/x.git", r"https://\*\*\*@127.0.0.1:9/x.git"),
    ],
)
def test_a_remote_that_does_not_exist(
    clone: Clone, remote: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.publish.remote.WAITS", ())
    with pytest.raises(PipelineError, match=message):
        land(clone("mine"), remote, "main", note("mine"))


def test_a_remote_without_any_commit(clone: Clone, tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet", "--bare", "empty.git")
    empty = str(tmp_path / "empty.git")
    message = "has no default branch yet: push your commits first"
    with pytest.raises(PipelineError, match=message):
        land(clone("mine"), empty, None, note("mine"))
    message = "has neither a branch main nor a default branch"
    with pytest.raises(PipelineError, match=message):
        land(clone("mine-2"), empty, "main", note("mine"))


def test_a_rewritten_history_is_refused(clone: Clone) -> None:
    mine = clone("mine")
    other = clone("other")
    (mine.root / "new.txt").write_text("x")
    made_from = commit_all(mine.root, "feat: lost later")
    git(mine.root, "push", "--quiet", "origin", "HEAD:main")
    (other.root / "other.txt").write_text("y")
    commit_all(other.root, "feat: instead")
    git(other.root, "push", "--quiet", "--force", "origin", "HEAD:main")

    def change(tip: Tip) -> Change:
        tip.require(made_from, "the bundle")
        return note("mine")(tip)

    message = "which the branch does not contain.*train again"
    with pytest.raises(PipelineError, match=message):
        land(mine, "origin", "main", change)


def test_a_second_publish_from_the_same_clone_is_refused(clone: Clone) -> None:
    repo = clone("mine")
    lock = FileLock(repo.root / ".git" / "pipeline-publish.lock")
    message = "another `pipeline publish`, `promote` or `promote-release` is running"
    with lock, pytest.raises(PipelineError, match=message):
        land(repo, "origin", "main", note("mine"))
