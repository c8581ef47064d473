"""A copy of this checkout as "Use this template" makes it, with an origin of its own."""

import os
import shutil
from pathlib import Path

from core.git import git
from course import student
from course.classroom import ROOT

BRANCH = "main"
ORIGIN = "origin.git"
CLONE = "clone"


def fresh(folder: Path, handle: str) -> Path:
    """Make a copy: all files of this checkout in a single commit, which is pushed.

    Args:
        folder: a new folder, in which the clone and its origin are made.
        handle: who commits.

    Returns:
        the clone.
    """
    clone = folder / CLONE
    folder.mkdir(parents=True)
    for name in _files():
        target = clone / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, target, follow_symlinks=False)
    git(folder, "init", "--quiet", "--bare", "-b", BRANCH, ORIGIN)
    git(clone, "init", "--quiet", "-b", BRANCH)
    git(clone, "remote", "add", "origin", str(folder / ORIGIN))
    git(clone, "config", "user.name", handle)
    git(clone, "config", "user.email", f"{handle}@example.org")
    git(clone, "add", "--all")
    git(clone, "commit", "--quiet", "--message", "Initial commit")
    git(clone, "push", "--quiet", "origin", BRANCH)
    return clone


def _files() -> list[str]:
    """Return the files of this checkout that Git has, or would add."""
    listed = git(ROOT, "ls-files", "--cached", "--others", "--exclude-standard")
    names = [name for name in listed.splitlines() if os.path.lexists(ROOT / name)]
    # A copy has no student before lesson 0.
    return [name for name in names if name != student.FILE]


def beside(folder: Path, other: Path) -> Path:
    """Copy a folder of `fresh` as it is now, so that something can be tried in it.

    Args:
        folder: the folder with the clone and its origin.
        other: a new folder.

    Returns:
        the other clone, which pushes to the other origin.
    """
    shutil.copytree(folder, other, symlinks=True)
    git(other / CLONE, "remote", "set-url", "origin", str(other / ORIGIN))
    return other / CLONE
