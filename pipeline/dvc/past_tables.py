"""The tables of a task that DVC has kept, of any commit."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

from core.git import GitError, git
from pipeline.dvc import program
from pipeline.dvc.pointer import SUFFIX
from pipeline.dvc.program import DvcError


def read_all(root: Path, name: str) -> Iterator[bytes]:
    """Yield the content of each version of a table, the newest first.

    A version that neither the cache nor the remote has is passed over, and so are all
    where DVC is not installed.

    Args:
        root: the checkout.
        name: the path of the table in it.
    """
    installed = program.path()
    if installed is None:
        return
    for commit in _commits(root, name):
        with tempfile.TemporaryDirectory(prefix="mlops-") as folder:
            target = Path(folder) / "table"
            source = ("get", ".", name, "--rev", commit)
            try:
                program.run(installed, root, *source, "--out", str(target))
            except DvcError:
                continue
            yield target.read_bytes()


def _commits(root: Path, name: str) -> list[str]:
    """Return the commits that changed the `.dvc` file of a table."""
    log = ("log", "--all", "--format=%H", "--diff-filter=AM", "--no-renames")
    try:
        return git(root, *log, "--", f"{name}{SUFFIX}").split()
    except GitError:  # not a Git repository, or one without a commit
        return []
