"""How many files the commits of a copy hold, counted without listing them.

A few small trees that contain one another can stand for more files than any computer
lists. Each tree is counted once here.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from core.errors import PipelineError
from core.git import git, git_bytes
from core.git_objects import contents
from course.grading.worktree import MOST_FILES

MOST_COMMITS = 20_000
MOST_TREES = 300_000
# A larger number of files is not written out.
MOST_SHOWN = 10**9
_BATCH = 2000
_ENTRY = re.compile(rb"(\d+) ([^\0]+)\0(.{20})", re.DOTALL)
_FOLDER = b"40000"

Object = tuple[str, bytes]
"""The name of a tree in Git, and its content."""


def require_bounded(repository: Path, commit: str) -> None:
    """Check that no commit of a history holds more files than the checks can read.

    Raises:
        PipelineError: one does, or there are too many commits or trees.
    """
    count = git(repository, "rev-list", "--count", commit)
    commits = int(count)
    if commits > MOST_COMMITS:
        raise PipelineError(f"its history has {commits:,} commits, too many.")
    roots = _roots(repository, commit)
    trees = set(roots.values())
    counts = Counts(repository)
    counts.read(sorted(trees))
    for name, root in roots.items():
        files = counts.files(root)
        if files > MOST_FILES:
            short = name[:7]
            shown = _shown(files)
            raise PipelineError(f"its commit {short} has {shown} files, too many.")


def _roots(repository: Path, commit: str) -> dict[str, str]:
    """Return the tree of each commit of a history."""
    roots = {}
    listed = git(repository, "log", "--format=%H %T", commit)
    for line in listed.splitlines():
        name, tree = line.split(" ")
        roots[name] = tree
    return roots


def _shown(count: int) -> str:
    if count < MOST_SHOWN:
        return f"{count:,}"
    return f"more than {MOST_SHOWN:,}"


@dataclass(frozen=True)
class _Tree:
    """A folder of a commit.

    Attributes:
        files: the number of files in it, links and submodules included.
        folders: the trees of the folders in it.
    """

    files: int = 0
    folders: list[str] = field(default_factory=list)


class Counts:
    """The numbers of files below trees."""

    def __init__(self, repository: Path) -> None:
        self._repository = repository
        self._trees: dict[str, _Tree] = {}
        self._files: dict[str, int] = {}

    def read(self, trees: Sequence[str]) -> None:
        """Read trees and all below them, each once, level by level.

        Raises:
            PipelineError: there are too many.
        """
        level = list(trees)
        while level:
            below: set[str] = set()
            for name, content in self._contents(level):
                tree = _parsed(content)
                self._trees[name] = tree
                below.update(tree.folders)
            level = list(below.difference(self._trees))
            count = len(self._trees)
            count += len(level)
            if count > MOST_TREES:
                raise PipelineError(f"its history has over {MOST_TREES:,} trees.")

    def _contents(self, trees: Sequence[str]) -> Iterator[Object]:
        for start in range(0, len(trees), _BATCH):
            end = start + _BATCH
            batch = trees[start:end]
            names = "\n".join(batch)
            output = git_bytes(
                self._repository,
                "cat-file",
                "--batch",
                stdin=f"{names}\n".encode(),
            )
            objects = contents(output)
            yield from zip(batch, objects, strict=True)

    def files(self, name: str) -> int:
        """Return the number of files below a tree, links and submodules included."""
        pending = [name]
        while pending:
            current = pending[-1]
            tree = self._trees[current]
            missing = set(tree.folders).difference(self._files)
            if missing:
                pending.extend(missing)
                continue
            count = tree.files
            for folder in tree.folders:
                count += self._files[folder]
            self._files[current] = count
            pending.pop()
        return self._files[name]


def _parsed(content: bytes) -> _Tree:
    """Return what a tree's object holds."""
    files = 0
    folders = []
    for mode, _, name in _ENTRY.findall(content):
        if mode == _FOLDER:
            folders.append(name.hex())
        else:
            files += 1
    return _Tree(files, folders)
