"""What a killed reproduction leaves is removed by the next one, and nothing else is."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from core.git import git
from pipeline.repo import Repo
from pipeline.reproduce.checkout import checkout, remove_abandoned
from tests.conftest import commit_all, native_git
from tests.paths import ROOT

PROGRAM = """
import sys
from pathlib import Path
from pipeline.repo import Repo
from pipeline.reproduce.checkout import checkout
with checkout(Repo(Path(sys.argv[1])), "HEAD") as tree:
    print(tree, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    root = tmp_path / "checkout"
    root.mkdir()
    git(root, "init", "--quiet")
    (root / "file.txt").touch()
    commit_all(root, "feat: begin")
    return Repo(root)


def worktrees(repo: Repo) -> int:
    """Return how many worktrees Git lists beside the checkout."""
    return len(git(repo.root, "worktree", "list").splitlines()) - 1


@pytest.fixture
def killed(repo: Repo) -> Path:
    """The worktree of a process that was killed while it used it."""
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(repo.root)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    tree = Path(process.stdout.readline().strip())
    assert tree.is_dir()
    remove_abandoned(repo)
    assert tree.is_dir(), "it is still in use"
    process.kill()
    process.communicate()
    assert worktrees(repo) == 1
    return tree


@native_git
def test_the_next_one_removes_what_a_killed_one_has_left(
    repo: Repo, killed: Path
) -> None:
    (killed / "trained.txt").touch()
    with checkout(repo, "HEAD") as tree:
        assert not killed.parent.exists()
        assert tree.is_dir()
    assert worktrees(repo) == 0
    assert not tree.parent.exists()


@native_git
def test_an_entry_whose_folder_is_gone_is_removed_too(repo: Repo, killed: Path) -> None:
    shutil.rmtree(killed.parent)
    remove_abandoned(repo)
    assert worktrees(repo) == 0


@native_git
def test_a_worktree_that_git_locked_is_removed_too(repo: Repo, killed: Path) -> None:
    """As when it is killed while Git writes the files."""
    git(repo.root, "worktree", "lock", str(killed))
    remove_abandoned(repo)
    assert worktrees(repo) == 0
    assert not killed.parent.exists()


@pytest.mark.parametrize("name", ["mine/reproduce", "mlops-reproduce-1/mine"])
def test_the_user_s_own_worktrees_stay(repo: Repo, tmp_path: Path, name: str) -> None:
    tree = tmp_path / name
    git(repo.root, "worktree", "add", "--quiet", "--detach", str(tree))
    remove_abandoned(repo)
    assert (tree / ".git").is_file()
    shutil.rmtree(tree.parent)
    remove_abandoned(repo)
    assert worktrees(repo) == 1


def test_a_worktree_without_a_lock_may_be_in_use(repo: Repo, killed: Path) -> None:
    (killed.parent / "lock").unlink()
    remove_abandoned(repo)
    assert killed.is_dir()
    git(repo.root, "worktree", "remove", "--force", str(killed))
