"""A commit in a Git worktree of its own, in a temporary folder."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core import file_lock
from core.errors import PipelineError
from core.git import git, succeeds
from pipeline.repo import Repo

# All files, also where the user's own checkout is sparse.
_WHOLE = ("-c", "core.sparseCheckout=false")
_OPTIONS = ("--quiet", "--detach")
# By force, because the training has left files there; twice, because Git locks a
# worktree while it fills it, and may have been killed then.
_FORCE = ("--force", "--force")
_PREFIX = "mlops-reproduce-"
_TREE = "reproduce"
_LOCK = "lock"
_ENTRY = "worktree "


@contextmanager
def checkout(repo: Repo, commit: str) -> Iterator[Path]:
    """Check out a commit beside the user's checkout, and remove it after the block.

    Its parent is a folder for other temporary files, which is removed too. What killed
    reproductions have left is removed first.

    Raises:
        PipelineError: the commit is not in this clone.
    """
    require_commit(repo, commit)
    remove_abandoned(repo)
    with tempfile.TemporaryDirectory(prefix=_PREFIX) as name:
        folder = Path(name).resolve()
        tree = folder / _TREE
        # The system releases the lock however this process ends.
        with (folder / _LOCK).open("wb") as lock:
            file_lock.take(lock)
            git(repo.root, *_WHOLE, "worktree", "add", *_OPTIONS, str(tree), commit)
            try:
                yield tree
            finally:
                git(repo.root, "worktree", "remove", *_FORCE, str(tree))


def remove_abandoned(repo: Repo) -> None:
    """Remove the worktrees of reproductions that were killed, with their folders.

    They are those that Git lists for this clone, that have the name of one, and whose
    lock nobody holds.
    """
    for line in git(repo.root, "worktree", "list", "--porcelain").splitlines():
        tree = Path(line.removeprefix(_ENTRY))
        folder = tree.parent
        is_ours = tree.name == _TREE and folder.name.startswith(_PREFIX)
        if not line.startswith(_ENTRY) or not is_ours or _is_in_use(folder):
            continue
        # What cannot be removed now, such as a file that is open on Windows, is
        # removed next time.
        if succeeds(repo.root, "worktree", "remove", *_FORCE, str(tree)):
            shutil.rmtree(folder, ignore_errors=True)


def _is_in_use(folder: Path) -> bool:
    """Return whether the reproduction that a folder is of still runs."""
    try:
        with (folder / _LOCK).open("rb+") as lock:
            return not file_lock.take(lock)
    except FileNotFoundError:  # the system may have tidied up the folder
        return folder.is_dir()
    except PermissionError:  # of another user
        return True


def require_commit(repo: Repo, commit: str) -> None:
    """Check that this clone has a commit.

    Raises:
        PipelineError: it has not.
    """
    if has_commit(repo, commit):
        return
    raise PipelineError(
        f"the commit {commit[:12]} that the run was trained from is not in this clone:"
        f" `git fetch origin {commit}` brings it unless it is gone there too, and a"
        " copy of the template does not have the template's commits."
    )


def has_commit(repo: Repo, commit: str) -> bool:
    """Return whether this clone has a commit."""
    return succeeds(repo.root, "cat-file", "-e", f"{commit}^{{commit}}")
