"""Files of a hostile commit: written as they are, inside, and not without end."""

from pathlib import Path

import pytest

from core.errors import PipelineError
from core.git import git
from course.copy import Copy
from course.grading import worktree
from tests.conftest import commit_all, posix


@pytest.fixture
def copy(tmp_path: Path) -> Copy:
    root = tmp_path / "copy"
    root.mkdir()
    git(root, "init", "--quiet", "-b", "main")
    (root / "params.yaml").write_bytes(b"seed: 42\n")
    commit_all(root, "feat: begin")
    return Copy(root, "salt")


def commit_tree(copy: Copy, entries: str) -> str:
    """Commit a tree that `git add` would refuse, and return the commit."""
    tree = git(copy.root, "mktree", stdin=entries)
    identity = ("-c", "user.name=a", "-c", "user.email=a@example.org")
    return git(copy.root, *identity, "commit-tree", tree, "-m", "feat: odd")


def blob(copy: Copy, text: str) -> str:
    return git(copy.root, "hash-object", "-w", "--stdin", stdin=text)


def test_files_are_written_as_git_holds_them(copy: Copy) -> None:
    with worktree.checkout(copy) as tree:
        content = (tree / "params.yaml").read_bytes()
        assert content == b"seed: 42\n"
        assert not (tree / ".git").exists()
    assert not tree.exists()


@posix
def test_links_and_filters_of_the_copy_do_nothing(copy: Copy, tmp_path: Path) -> None:
    (copy.root / "link").symlink_to(tmp_path)
    attributes = copy.root / ".gitattributes"
    attributes.write_text("*.yaml filter=bad\n", "utf-8")
    ran = tmp_path / "ran"
    git(copy.root, "config", "filter.bad.smudge", f"touch {ran}; cat")
    hook = copy.root / ".git" / "hooks" / "post-checkout"
    hook.write_text(f"#!/bin/sh\ntouch {ran}\n", "utf-8")
    hook.chmod(0o755)
    commit_all(copy.root, "feat: a link and a filter")
    with worktree.checkout(copy) as tree:
        names = sorted(path.name for path in tree.iterdir())
        assert names == [".gitattributes", "params.yaml"]
    assert not ran.exists()


@pytest.mark.parametrize("name", ["..", ".git", "C:x", "a\\b"])
def test_a_path_outside_is_refused(copy: Copy, name: str) -> None:
    digest = blob(copy, "x")
    inner = git(copy.root, "mktree", stdin=f"100644 blob {digest}\tconfig\n")
    commit = commit_tree(copy, f"040000 tree {inner}\t{name}\n")
    with pytest.raises(PipelineError, match="has the path"):
        with worktree.checkout(copy, commit):
            pass


def test_too_many_files_are_refused(
    copy: Copy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worktree, "MOST_FILES", 3)
    digest = blob(copy, "x")
    entries = ""
    for number in range(4):
        entries += f"100644 blob {digest}\tf{number}\n"
    commit = commit_tree(copy, entries)
    with pytest.raises(PipelineError, match="has 4 files"):
        with worktree.checkout(copy, commit):
            pass


def test_too_many_bytes_are_refused(
    copy: Copy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worktree, "MOST_BYTES", 5)
    with pytest.raises(PipelineError, match="has 9 bytes"):
        with worktree.checkout(copy):
            pass


def test_a_repository_in_a_repository_is_left_out(copy: Copy) -> None:
    head = git(copy.root, "rev-parse", "HEAD")
    digest = blob(copy, "x")
    submodule = f"160000 commit {head}\tnested\n"
    file = f"100644 blob {digest}\tfile\n"
    commit = commit_tree(copy, submodule + file)
    with worktree.checkout(copy, commit) as tree:
        names = [path.name for path in tree.iterdir()]
        assert names == ["file"]
