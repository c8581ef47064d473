"""A checkout of a mirror's commit for the checks, written without Git's checkout."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.git import git
from course import classroom
from course.copy import Copy
from course.grading import worktree
from course.teacher.mirror import Mirror


@contextmanager
def checkout(mirror: Mirror, commit: str, address: str) -> Iterator[Path]:
    """Make a repository whose `main` is a commit of a mirror, during the block.

    It uses the mirror's objects. Links, filters, hooks and settings of the copy have no
    part in it.

    Args:
        mirror: the mirror.
        commit: the commit.
        address: the copy's address, which becomes that of `origin`.

    Raises:
        PipelineError: the commit holds too much, or a path outside.
    """
    with worktree.folder() as folder:
        root = folder / "copy"
        root.mkdir()
        git(root, "init", "--quiet", "-b", "main")
        alternates = root / ".git" / "objects" / "info" / "alternates"
        objects = (mirror.path / "objects").resolve()
        alternates.write_text(f"{objects.as_posix()}\n", "utf-8")
        git(root, "update-ref", "refs/heads/main", commit)
        git(root, "config", "remote.origin.url", address)
        copy = Copy(root, classroom.load().salt)
        worktree.write(copy, commit, ".", root)
        git(root, "read-tree", commit)
        yield root
