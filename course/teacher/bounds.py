"""How many files the commits of a copy hold, counted without listing them.

A few small trees that contain one another can stand for more files than any computer
lists. Each tree is counted once here.
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from core.errors import PipelineError
from core.git import git, git_bytes
from core.git_objects import contents
from course.grading.worktree import MOST_FILES

MOST_COMMITS = 20_000
MOST_TREES = 300_000
_BATCH = 2000
_ENTRY = re.compile(rb"(\d+) ([^\0]+)\0(.{20})", re.DOTALL)
_FOLDER = b"40000"


def require_bounded(repository: Path, commit: str) -> None:
    """Check that no commit of a history holds more files than the checks can read.

    Raises:
        PipelineError: one does, or there are too many commits or trees.
    """
    commits = int(git(repository, "rev-list", "--count", commit))
    if commits > MOST_COMMITS:
        raise PipelineError(f"its history has {commits:,} commits, too many.")
    listed = git(repository, "log", "--format=%H %T", commit).splitlines()
    roots = dict(line.split(" ") for line in listed)
    counts = Counts(repository)
    counts.read(sorted(set(roots.values())))
    for name, root in roots.items():
        count = counts.files(root)
        if count > MOST_FILES:
            shown = f"{count:,}" if count < 10**9 else "more than 1,000,000,000"
            raise PipelineError(f"its commit {name[:7]} has {shown} files, too many.")


class Counts:
    """The numbers of files below trees."""

    def __init__(self, repository: Path) -> None:
        self._repository = repository
        self._own: dict[str, int] = {}
        self._folders: dict[str, list[str]] = {}
        self._files: dict[str, int] = {}

    def read(self, trees: Sequence[str]) -> None:
        """Read trees and all below them, each once, level by level."""
        level = list(trees)
        while level:
            below: set[str] = set()
            for tree, content in self._contents(level):
                folders = []
                own = 0
                for mode, _, name in _ENTRY.findall(content):
                    own += mode != _FOLDER
                    if mode == _FOLDER:
                        folders.append(name.hex())
                self._own[tree] = own
                self._folders[tree] = folders
                below.update(folders)
            level = [tree for tree in below if tree not in self._own]
            if len(self._own) + len(level) > MOST_TREES:
                raise PipelineError(f"its history has over {MOST_TREES:,} trees.")

    def _contents(self, trees: Sequence[str]) -> Iterator[tuple[str, bytes]]:
        for start in range(0, len(trees), _BATCH):
            batch = trees[start : start + _BATCH]
            names = "\n".join(batch).encode() + b"\n"
            output = git_bytes(self._repository, "cat-file", "--batch", stdin=names)
            yield from zip(batch, contents(output), strict=True)

    def files(self, tree: str) -> int:
        """Return the number of files below a tree, links and submodules included."""
        pending = [tree]
        while pending:
            current = pending[-1]
            missing = [
                folder for folder in self._folders[current] if folder not in self._files
            ]
            if missing:
                pending += missing
                continue
            below = sum(self._files[folder] for folder in self._folders[current])
            self._files[current] = self._own[current] + below
            pending.pop()
        return self._files[tree]
