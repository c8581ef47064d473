"""Landing on a branch that others push to, against real bare repositories."""

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock

from core.errors import PipelineError
from core.git import git
from pipeline.publish import loop
from pipeline.publish.base import require_ancestor
from pipeline.publish.commit import BOT_EMAIL, BOT_NAME
from pipeline.publish.loop import Change, land
from pipeline.repo import Repo
from tests.conftest import commit_all, posix

Clone = Callable[..., Repo]


def note(text: str) -> Callable[[Repo], Change]:
    """A change that writes one file of its own and counts in a file that all share."""

    def change(tip: Repo) -> Change:
        tip.results.mkdir(exist_ok=True)
        (tip.results / f"{text}.txt").write_text(text)
        shared = tip.results / "count"
        count = int(shared.read_text("utf-8")) if shared.exists() else 0
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
    before = git(repo.root, "status", "--porcelain"), git(
        repo.root, "for-each-ref", "refs/heads"
    )

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
    assert git(origin, "log", "-2", "--format=%an", "main").split() == ["Ada", BOT_NAME]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("user.email", "ada@example.org"),
        ("user.name", "Ada"),
        ("user.name", ""),
        ("user.name", ","),
    ],
)
def test_half_a_name_makes_the_bot_the_author(
    clone: Clone, origin: Path, key: str, value: str
) -> None:
    repo = clone("half")
    git(repo.root, "config", key, value)
    land(repo, "origin", "main", note("half"))
    assert (
        git(origin, "log", "-1", "--format=%an %ae", "main")
        == f"{BOT_NAME} {BOT_EMAIL}"
    )


def test_an_identity_in_variables_counts(
    clone: Clone, origin: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", "Ada")
        monkeypatch.setenv(f"GIT_{role}_EMAIL", "ada@example.org")
    land(clone("mine"), "origin", "main", note("ada"))
    assert git(origin, "log", "-1", "--format=%an %ce", "main") == "Ada ada@example.org"


def test_the_user_s_settings_for_commits_and_pushes_do_not_count(
    clone: Clone, origin: Path
) -> None:
    repo = clone("mine")
    settings = {
        "commit.gpgSign": "true",  # without any usable key
        "gpg.program": "false",
        "commit.template": "/nowhere",
        "commit.cleanup": "scissors",
        "push.gpgSign": "true",  # which no server here takes
        "push.pushOption": "ci.skip",
        "push.followTags": "true",
        "push.recurseSubmodules": "only",
        "remote.origin.mirror": "true",
        "fetch.recurseSubmodules": "true",
        "i18n.commitEncoding": "ISO-8859-1",
    }
    for key, value in settings.items():
        git(repo.root, "config", key, value)
    git(repo.root, "branch", "precious")
    commit, _ = land(repo, "origin", "main", note("übrigens"))
    assert git(origin, "log", "-1", "--format=%s", "main") == "chore: note übrigens"
    assert git(origin, "rev-parse", "main") == commit
    assert git(origin, "branch", "--format=%(refname:short)") == "main"


def test_a_shallow_clone_publishes_too(clone: Clone, origin: Path) -> None:
    land(clone("first"), "origin", "main", note("first"))
    shallow = clone("shallow", "--depth=1")
    land(shallow, "origin", "main", note("second"))
    assert show(origin, "results/count") == "2"


def test_all_land_when_many_publish_at_once(clone: Clone, origin: Path) -> None:
    repos = [clone(f"clone-{number}") for number in range(6)]
    threads = [
        threading.Thread(
            target=land, args=(repo, "origin", "main", note(repo.root.name))
        )
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
    mine = clone("mine")
    rival = clone("rival")
    attempts = []

    def change(tip: Repo) -> Change:
        attempts.append(tip)
        land(rival, "origin", "main", note(f"rival-{len(attempts)}"))
        return note("mine")(tip)

    with pytest.raises(
        PipelineError, match="gave up after 3 attempts.*nothing is lost"
    ):
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
    text = str(caught.value)
    assert "GH006" in text
    assert "Settings > Rules" in text
    assert all(way in text for way in ("Restrict deletions", "--branch", "deploy key"))
    assert git(origin, "rev-parse", "main") == tip


@pytest.mark.parametrize(
    ("remote", "branch", "words"),
    [
        ("nowhere", "main", "remote nowhere cannot be reached"),
        (
            "https://me:pass-word@127.0.0.1:9/x.git",
            "main",
            r"https://\*\*\*@127.0.0.1:9/x.git",
        ),
    ],
)
def test_a_remote_that_is_not_there(
    clone: Clone, remote: str, branch: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.publish.remote.WAITS", ())
    with pytest.raises(PipelineError, match=words):
        land(clone("mine"), remote, branch, note("mine"))


def test_a_remote_without_any_commit(clone: Clone, tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet", "--bare", "empty.git")
    empty = str(tmp_path / "empty.git")
    with pytest.raises(
        PipelineError, match="has no default branch yet: push your commits first"
    ):
        land(clone("mine"), empty, None, note("mine"))
    with pytest.raises(
        PipelineError, match="has no branch main, and no default branch to begin"
    ):
        land(clone("mine-2"), empty, "main", note("mine"))


def test_without_a_branch_s_name_it_is_the_remote_s_default_branch(
    clone: Clone, origin: Path
) -> None:
    git(origin, "branch", "--move", "main", "trunk")
    git(origin, "symbolic-ref", "HEAD", "refs/heads/trunk")
    commit, _ = land(clone("mine"), "origin", None, note("mine"))
    assert git(origin, "for-each-ref", "--format=%(refname) %(objectname)") == (
        f"refs/heads/trunk {commit}"
    )


def test_a_rewritten_history_is_refused(
    clone: Clone, origin: Path, tmp_path: Path
) -> None:
    mine = clone("mine")
    other = clone("other")
    (mine.root / "new.txt").write_text("x")
    made_from = commit_all(mine.root, "feat: lost later")
    git(mine.root, "push", "--quiet", "origin", "HEAD:main")
    (other.root / "other.txt").write_text("y")
    commit_all(other.root, "feat: instead")
    git(other.root, "push", "--quiet", "--force", "origin", "HEAD:main")

    def change(tip: Repo) -> Change:
        require_ancestor(tip.root, made_from, "the bundle")
        return note("mine")(tip)

    with pytest.raises(
        PipelineError, match="which the branch does not contain.*train again"
    ):
        land(mine, "origin", "main", change)


def test_a_second_publish_from_the_same_clone_is_refused(clone: Clone) -> None:
    repo = clone("mine")
    with FileLock(repo.root / ".git" / "pipeline-publish.lock"):
        with pytest.raises(
            PipelineError, match="another publish from this clone is running"
        ):
            land(repo, "origin", "main", note("mine"))


def test_what_a_killed_publish_left_behind_is_removed(
    clone: Clone, origin: Path
) -> None:
    repo = clone("mine")
    left = repo.build / "p-killed"
    others = repo.build / "p-others"
    git(repo.root, "worktree", "add", "--quiet", "--detach", str(left), "HEAD")
    (repo.root / ".git" / "worktrees" / "p-killed" / "index.lock").touch()
    others.mkdir()
    land(repo, "origin", "main", note("mine"))
    assert (
        not left.exists() and others.exists()
    )  # no publish of this clone made that one
    assert show(origin, "results/count") == "1"
