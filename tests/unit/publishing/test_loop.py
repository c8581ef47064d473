"""Landing on a branch that others push to, against real bare repositories."""

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock

from pipeline.errors import PipelineError
from pipeline.git import git
from pipeline.publishing import loop
from pipeline.publishing.loop import Change, land, require_ancestor
from pipeline.repo import Repo
from tests.conftest import commit_all

Clone = Callable[..., Repo]


def note(text: str) -> Callable[[Repo], Change]:
    """A change that writes one file of its own and counts in a file that all share."""

    def change(tip: Repo) -> Change:
        tip.results.mkdir(exist_ok=True)
        (tip.results / f"{text}.txt").write_text(text)
        shared = tip.results / "count"
        count = int(shared.read_text()) if shared.exists() else 0
        shared.write_text(str(count + 1))
        return Change(f"chore: note {text}\n")

    return change


def reject_pushes(origin: Path, words: str) -> None:
    hook = origin / "hooks" / "pre-receive"
    hook.write_bytes(f'#!/bin/sh\necho "{words}" >&2\nexit 1\n'.encode())
    hook.chmod(0o755)


def show(origin: Path, path: str) -> str:
    return git(origin, "show", f"main:{path}")


def test_lands_without_touching_the_users_work_tree(clone: Clone, origin: Path) -> None:
    repo = clone("mine")
    (repo.root / "params.yaml").write_text("seed: 7\n")
    (repo.root / "draft.txt").write_text("mine")
    before = git(repo.root, "status", "--porcelain"), git(repo.root, "for-each-ref", "refs/heads")

    commit, message = land(repo, "origin", "main", note("first"))

    assert (
        git(repo.root, "status", "--porcelain"),
        git(repo.root, "for-each-ref", "refs/heads"),
    ) == before
    assert git(origin, "rev-parse", "main") == commit
    assert message == "chore: note first\n"
    assert show(origin, "results/first.txt") == "first"
    assert git(origin, "show", "main:params.yaml") == "seed: 42"
    assert git(repo.root, "worktree", "list").count("\n") == 0


def test_commits_under_the_bots_name_only_where_the_user_has_none(
    clone: Clone, origin: Path
) -> None:
    land(clone("nobody"), "origin", "main", note("bot"))
    somebody = clone("somebody")
    git(somebody.root, "config", "user.name", "Ada")
    git(somebody.root, "config", "user.email", "ada@example.org")
    land(somebody, "origin", "main", note("ada"))
    assert git(origin, "log", "-2", "--format=%an", "main").split() == ["Ada", "mlops-bot"]


def test_a_shallow_clone_publishes_too(clone: Clone, origin: Path) -> None:
    land(clone("first"), "origin", "main", note("first"))
    shallow = clone("shallow", "--depth=1")
    land(shallow, "origin", "main", note("second"))
    assert show(origin, "results/count") == "2"


def test_all_land_when_many_publish_at_once(clone: Clone, origin: Path) -> None:
    repos = [clone(f"clone-{number}") for number in range(6)]
    threads = [
        threading.Thread(target=land, args=(repo, "origin", "main", note(repo.root.name)))
        for repo in repos
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert show(origin, "results/count") == "6"
    assert len(git(origin, "log", "--format=%H", "main").split()) == 7


def test_a_race_that_never_ends_is_given_up(
    clone: Clone, origin: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "ATTEMPTS", 3)
    mine, rival = clone("mine"), clone("rival")
    attempts = []

    def change(tip: Repo) -> Change:
        attempts.append(tip)
        land(rival, "origin", "main", note(f"rival-{len(attempts)}"))
        return note("mine")(tip)

    with pytest.raises(PipelineError, match="gave up after 3 attempts.*nothing is lost"):
        land(mine, "origin", "main", change)
    assert show(origin, "results/count") == "3"
    assert "mine.txt" not in git(origin, "ls-tree", "--name-only", "main:results")


def test_a_protected_branch_is_named_with_its_setting_and_three_ways_out(
    clone: Clone, origin: Path
) -> None:
    reject_pushes(origin, "error: GH006: Protected branch update failed for refs/heads/main.")
    tip = git(origin, "rev-parse", "main")
    with pytest.raises(PipelineError) as caught:
        land(clone("mine"), "origin", "main", note("mine"))
    text = str(caught.value)
    assert "GH006" in text and "Settings > Rules" in text
    assert all(way in text for way in ("Restrict deletions", "--branch", "deploy key"))
    assert git(origin, "rev-parse", "main") == tip


@pytest.mark.parametrize(
    ("remote", "branch", "words"),
    [
        ("nowhere", "main", "remote nowhere cannot be reached"),
        ("origin", "absent", "origin has no branch absent"),
    ],
)
def test_a_remote_or_branch_that_is_not_there(
    clone: Clone, remote: str, branch: str, words: str
) -> None:
    with pytest.raises(PipelineError, match=words):
        land(clone("mine"), remote, branch, note("mine"))


def test_a_rewritten_history_is_refused(clone: Clone, origin: Path, tmp_path: Path) -> None:
    mine, other = clone("mine"), clone("other")
    (mine.root / "new.txt").write_text("x")
    made_from = commit_all(mine.root, "feat: lost later")
    git(mine.root, "push", "--quiet", "origin", "HEAD:main")
    (other.root / "other.txt").write_text("y")
    commit_all(other.root, "feat: instead")
    git(other.root, "push", "--quiet", "--force", "origin", "HEAD:main")

    def change(tip: Repo) -> Change:
        require_ancestor(tip.root, made_from, "the bundle")
        return note("mine")(tip)

    with pytest.raises(PipelineError, match="which the branch does not hold.*train again"):
        land(mine, "origin", "main", change)


def test_a_second_publish_from_the_same_clone_is_refused(clone: Clone) -> None:
    repo = clone("mine")
    with FileLock(repo.root / ".git" / "pipeline-publish.lock"):
        with pytest.raises(PipelineError, match="another publish from this clone is under way"):
            land(repo, "origin", "main", note("mine"))


def test_what_a_killed_publish_left_behind_is_removed(clone: Clone, origin: Path) -> None:
    repo = clone("mine")
    left = repo.build / "publish-killed"
    git(repo.root, "worktree", "add", "--quiet", "--detach", str(left), "HEAD")
    (repo.root / ".git" / "worktrees" / "publish-killed" / "index.lock").touch()
    land(repo, "origin", "main", note("mine"))
    assert not left.exists()
    assert show(origin, "results/count") == "1"
