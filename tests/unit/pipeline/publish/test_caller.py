"""Publishing from a hook or an alias of Git, which may set variables for a repository.

Whatever the variables say, the user's commits, changes and files are kept, and the right
repository is used.
"""

import subprocess
import sys
from pathlib import Path

import pytest

from core.git import git
from pipeline.publish.loop import land
from tests.conftest import Clone, commit_all, make_clone, make_origin, posix
from tests.paths import ROOT
from tests.support.publishing import note

IDENTITY = ["-c", "user.name=Tester", "-c", "user.email=tester@example.org"]
# The program that an alias or a hook starts. It is faster than publishing a bundle.
PUBLISH = f"""
import sys
sys.path[:0] = [{str(ROOT)!r}]
from pathlib import Path
from pipeline.publish.loop import land
from pipeline.repo import Repo
from tests.support.publishing import note
land(Repo.open(Path.cwd()), "origin", "main", note("from-git"))
"""


@pytest.fixture
def publish(tmp_path: Path) -> str:
    """A shell command that publishes from the folder that it is run in."""
    program = tmp_path / "publish.py"
    program.write_text(PUBLISH)
    return f"'{sys.executable}' '{program}'"


@pytest.fixture
def worktree_of_mine(clone: Clone, tmp_path: Path) -> Path:
    """A linked worktree with a commit that was never pushed, and a file in no commit."""
    tree = tmp_path / "tree"
    root = clone("mine").root
    git(root, "worktree", "add", "--quiet", "-b", "work", str(tree))
    (tree / "note.txt").write_text("x")
    commit_all(tree, "feat: mine, not pushed")
    (tree / "draft.txt").write_text("precious")
    return tree


def by_git(folder: Path, *arguments: str) -> None:
    """Run Git as the user does, with all that it hands on to hooks and aliases."""
    command = ["git", *IDENTITY, *arguments]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)


def assert_untouched(tree: Path) -> None:
    assert git(tree, "log", "-1", "--format=%s", "work") == "feat: mine, not pushed"
    assert git(tree, "status", "--porcelain") == "?? draft.txt"
    assert (tree / "draft.txt").read_text("utf-8") == "precious"


@posix
def test_an_alias_in_a_linked_worktree(
    worktree_of_mine: Path, origin: Path, publish: str
) -> None:
    git(worktree_of_mine, "config", "alias.ship", f"!{publish}")
    by_git(worktree_of_mine, "ship")
    assert_untouched(worktree_of_mine)
    assert git(origin, "show", "main:results/from-git.txt") == "from-git"


@posix
@pytest.mark.parametrize("hook", ["post-commit", "pre-commit", "post-checkout"])
@pytest.mark.parametrize("linked", [True, False])
def test_a_hook_in_a_linked_worktree_and_in_a_usual_clone(
    worktree_of_mine: Path, origin: Path, publish: str, hook: str, linked: bool
) -> None:
    main = worktree_of_mine.parent / "mine"
    tree = worktree_of_mine if linked else main
    path = main / ".git" / "hooks" / hook
    path.write_text(f"#!/bin/sh\nexec {publish}\n")
    path.chmod(0o755)
    (tree / "more.txt").write_text("more")
    by_git(tree, "add", "more.txt")
    if hook == "post-checkout":
        by_git(tree, "switch", "--quiet", "-c", "other")
    else:
        by_git(tree, "commit", "--quiet", "-m", "feat: one more")
        assert git(tree, "log", "-1", "--format=%s") == "feat: one more"
        assert git(tree, "show", "--name-only", "--format=").strip() == "more.txt"
    subjects = git(worktree_of_mine, "log", "work", "--format=%s")
    assert subjects.count("mine, not pushed") == 1
    assert (worktree_of_mine / "draft.txt").read_text("utf-8") == "precious"
    assert git(origin, "show", "main:results/from-git.txt") == "from-git"


@pytest.mark.parametrize(
    "names",
    [
        ("GIT_DIR",),
        ("GIT_DIR", "GIT_WORK_TREE"),
        ("GIT_WORK_TREE",),
        ("GIT_COMMON_DIR",),
        ("GIT_DIR", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_PREFIX"),
        ("GIT_OBJECT_DIRECTORY",),
        ("GIT_INDEX_FILE",),
    ],
    ids="+".join,
)
def test_an_unrelated_repository_in_the_environment_stays_as_it_is(
    clone: Clone,
    origin: Path,
    tmp_path: Path,
    names: tuple[str, ...],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    mine = clone("mine")
    (tmp_path / "elsewhere").mkdir()
    other = make_clone(make_origin(tmp_path / "elsewhere"), "other").root
    (other / "params.yaml").write_text("changed")
    (other / "untracked").write_text("precious")
    commit = commit_all_but(other, "untracked")
    (other / "params.yaml").write_text("changed once more")
    values = {
        "GIT_DIR": other / ".git",
        "GIT_WORK_TREE": other,
        "GIT_COMMON_DIR": other / ".git",
        "GIT_INDEX_FILE": other / ".git" / "index",
        "GIT_OBJECT_DIRECTORY": other / ".git" / "objects",
        "GIT_PREFIX": "data/",
    }
    with monkeypatch.context() as patch:
        for name in names:
            patch.setenv(name, str(values[name]))
        land(mine, "origin", "main", note("mine"))
    assert git(origin, "show", "main:results/mine.txt") == "mine"
    assert git(other, "rev-parse", "HEAD") == commit
    assert (other / "untracked").read_text("utf-8") == "precious"
    assert (other / "params.yaml").read_text("utf-8") == "changed once more"


def commit_all_but(folder: Path, left: str) -> str:
    """Commit everything except one path; return the commit."""
    git(folder, "add", "--all", "--", ".", f":!{left}")
    git(folder, *IDENTITY, "commit", "--quiet", "--message", "feat: not pushed")
    return git(folder, "rev-parse", "HEAD")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("core.worktree", "/"),
        ("core.bare", "true"),
        ("core.hooksPath", "/nowhere"),
        ("core.sparseCheckout", "true"),
        ("remote.origin.url", "/nowhere"),
        ("core.excludesFile", "/dev/stdin"),
    ],
)
def test_settings_in_the_environment_do_not_apply(
    clone: Clone, origin: Path, key: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", key)
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", value)
    monkeypatch.setenv("GIT_CONFIG_PARAMETERS", f"'{key}'='{value}'")
    land(clone("mine"), "origin", "main", note("mine"))
    assert git(origin, "show", "main:results/mine.txt") == "mine"
