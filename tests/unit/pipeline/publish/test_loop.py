"""Landing on a branch that others push to, in real bare repositories."""

import threading
from pathlib import Path

import pytest

from core.git import git, succeeds
from pipeline.publish.commit import BOT_EMAIL, BOT_NAME
from pipeline.publish.loop import PUBLISHED, Change, land
from pipeline.repo import Repo
from tests.conftest import Clone
from tests.support.publishing import note, show


def test_lands_without_touching_the_users_work_tree(clone: Clone, origin: Path) -> None:
    repo = clone("mine")
    (repo.root / "params.yaml").write_text("seed: 7\n")
    (repo.root / "draft.txt").write_text("mine")
    status = git(repo.root, "status", "--porcelain")
    branches = git(repo.root, "for-each-ref", "refs/heads")

    commit, message = land(repo, "origin", "main", note("first"))

    assert git(repo.root, "status", "--porcelain") == status
    assert git(repo.root, "for-each-ref", "refs/heads") == branches
    assert git(origin, "rev-parse", "main") == commit
    assert message == "chore: note first\n"
    assert show(origin, "results/first.txt") == "first"
    assert show(origin, "params.yaml") == "seed: 42"
    assert git(repo.root, "worktree", "list").count("\n") == 0


def test_commits_under_the_bots_name_only_where_the_user_has_none(
    clone: Clone, origin: Path
) -> None:
    land(clone("nobody"), "origin", "main", note("bot"))
    somebody = clone("somebody")
    git(somebody.root, "config", "user.name", "Ada")
    git(somebody.root, "config", "user.email", "ada@example.org")
    land(somebody, "origin", "main", note("ada"))
    authors = git(origin, "log", "-2", "--format=%an", "main")
    assert authors.split() == ["Ada", BOT_NAME]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("user.email", "ada@example.org"),
        ("user.name", "Ada"),
        ("user.name", ""),
        ("user.name", ","),
    ],
)
def test_the_bot_is_the_author_if_the_user_has_only_a_name_or_an_address(
    clone: Clone, origin: Path, key: str, value: str
) -> None:
    repo = clone("half")
    git(repo.root, "config", key, value)
    land(repo, "origin", "main", note("half"))
    author = git(origin, "log", "-1", "--format=%an %ae", "main")
    assert author == f"{BOT_NAME} {BOT_EMAIL}"


def test_an_identity_in_variables_is_used(
    clone: Clone, origin: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", "Ada")
        monkeypatch.setenv(f"GIT_{role}_EMAIL", "ada@example.org")
    land(clone("mine"), "origin", "main", note("ada"))
    people = git(origin, "log", "-1", "--format=%an %ce", "main")
    assert people == "Ada ada@example.org"


def test_the_user_s_settings_for_commits_and_pushes_do_not_apply(
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


def test_all_land_when_many_publish_at_once(clone: Clone, origin: Path) -> None:
    threads = []
    for number in range(6):
        name = f"clone-{number}"
        arguments = (clone(name), "origin", "main", note(name))
        threads.append(threading.Thread(target=land, args=arguments))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert show(origin, "results/count") == "6"
    commits = git(origin, "log", "--format=%H", "main")
    assert len(commits.split()) == 7


def test_without_a_branch_s_name_it_is_the_remote_s_default_branch(
    clone: Clone, origin: Path
) -> None:
    git(origin, "branch", "--move", "main", "trunk")
    git(origin, "symbolic-ref", "HEAD", "refs/heads/trunk")
    commit, _ = land(clone("mine"), "origin", None, note("mine"))
    refs = git(origin, "for-each-ref", "--format=%(refname) %(objectname)")
    assert refs == f"refs/heads/trunk {commit}"


def test_what_a_killed_publish_left_is_removed(clone: Clone, origin: Path) -> None:
    repo = clone("mine")
    left = repo.root / ".git" / "publish"
    (left / "tip" / "results").mkdir(parents=True)
    (left / "tip" / "results" / "half.txt").write_text("half")
    (left / "index").write_text("half")
    (left / "index.lock").touch()
    land(repo, "origin", "main", note("mine"))
    assert not left.exists()
    names = git(origin, "ls-tree", "--name-only", "main:results")
    assert names.split() == ["count", "mine.txt"]


def test_nothing_is_left_when_a_change_fails(clone: Clone) -> None:
    repo = clone("mine")

    def change(tip: Repo) -> Change:
        note("mine")(tip)
        raise RuntimeError

    with pytest.raises(RuntimeError):
        land(repo, "origin", "main", change)
    assert not (repo.root / ".git" / "publish").exists()
    assert not succeeds(repo.root, "rev-parse", "--verify", PUBLISHED)
