"""A commit in a Git worktree of its own, in a temporary folder."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.errors import PipelineError
from core.git import git, succeeds
from pipeline.repo import Repo

# All files, also where the user's own checkout is sparse.
_WHOLE = ("-c", "core.sparseCheckout=false")
_OPTIONS = ("--quiet", "--detach")


@contextmanager
def checkout(repo: Repo, commit: str) -> Iterator[Path]:
    """Check out a commit beside the user's checkout, and remove it after the block.

    Raises:
        PipelineError: the commit is not in this clone.
    """
    require_commit(repo, commit)
    with tempfile.TemporaryDirectory(prefix="mlops-") as folder:
        tree = Path(folder).resolve() / "reproduce"
        git(repo.root, *_WHOLE, "worktree", "add", *_OPTIONS, str(tree), commit)
        try:
            yield tree
        finally:
            # By force, because the training has left files there.
            git(repo.root, "worktree", "remove", "--force", str(tree))


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
