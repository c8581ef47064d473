"""The worktree below `build/` that a publish makes, works in and removes."""

import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from core.errors import PipelineError
from core.git import GitError, git
from pipeline.publish.push_causes import Cause, classify
from pipeline.publish.push_errors import advice
from pipeline.repo import Repo

# `rev-parse --path-format` came with 2.31, in March 2021.
OLDEST_GIT = (2, 31)
# Short, because it precedes every path of the repository, and Windows allows 260
# characters.
PREFIX = "p-"
# The user's settings for their own checkout, such as sparse checkouts or line endings,
# must not change what is published.
_SETTINGS = {
    "core.sparseCheckout": "false",
    "index.sparse": "false",
    "core.autocrlf": "false",
    "core.eol": "lf",
    "core.safecrlf": "false",
    "worktree.useRelativePaths": "false",
}


def git_in(
    tree: Path,
    *arguments: str,
    stdin: str | None = None,
    variables: Mapping[str, str] | None = None,
) -> str:
    """Run Git in a publish's worktree, whatever the user's settings are; see `git`."""
    options = []
    for key, value in _SETTINGS.items():
        options += ["-c", f"{key}={value}"]
    return git(tree, *options, *arguments, stdin=stdin, variables=variables)


@contextmanager
def worktree(repo: Repo) -> Iterator[Path]:
    """Make an empty worktree of the clone, and remove it afterwards.

    Raises:
        PipelineError: another publish runs in this clone, Git is too old, the project
            is a folder of another repository, or the clone cannot be written to.
    """
    _require_git()
    prefix = git(repo.root, "rev-parse", "--show-prefix")
    if prefix:
        raise PipelineError(
            f"{repo.root} is the folder {prefix} of another Git repository: run the"
            " command in a clone of this project."
        )
    options = ("--path-format=absolute", "--git-common-dir")
    common = Path(git(repo.root, "rev-parse", *options))
    repo.build.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(common / "pipeline-publish.lock", timeout=0):
            _remove_worktrees(repo)
            folder = tempfile.mkdtemp(prefix=PREFIX, dir=repo.build)
            tree = Path(folder).resolve()
            try:
                _add(repo, tree)
                yield tree
            finally:
                shutil.rmtree(tree, ignore_errors=True)
                _remove_worktrees(repo)
    except Timeout as error:
        raise PipelineError(
            "another `pipeline publish` or `pipeline promote` is running in this clone:"
            " wait until it ends, or use another clone."
        ) from error
    except PermissionError as error:
        is_in_git = error.filename and common in Path(error.filename).parents
        if not is_in_git:
            raise
        raise PipelineError(
            f"{common} is read-only for this user: {advice(Cause.READ_ONLY)}."
        ) from error


def checkout(tree: Path, commit: str) -> None:
    """Make the worktree's files those of a commit, and remove all others.

    Raises:
        PipelineError: Git uses another folder as the worktree, which may contain the
            user's work.
    """
    _require_own(tree)
    git_in(tree, "reset", "--hard", "--quiet", commit)
    git_in(tree, "clean", "-ffdxq")


def _require_own(tree: Path) -> None:
    top = Path(git_in(tree, "rev-parse", "--show-toplevel"))
    directory = Path(git_in(tree, "rev-parse", "--absolute-git-dir"))
    is_own = (
        tree.name.startswith(PREFIX)
        and directory.parent.name == "worktrees"
        and top.samefile(tree)
    )
    if not is_own:
        raise PipelineError(
            f"Git uses {top} as the worktree of this command instead of {tree}, so"
            " nothing was changed: run the command in an ordinary clone."
        )


def _require_git() -> None:
    version = git(Path(), "version")
    numbers = re.search(r"(\d+)\.(\d+)", version)
    if numbers and (int(numbers[1]), int(numbers[2])) < OLDEST_GIT:
        major, minor = OLDEST_GIT
        raise PipelineError(
            f"{version} is too old for this command: install Git {major}.{minor} or"
            " newer."
        )


def _add(repo: Repo, tree: Path) -> None:
    options = ("--quiet", "--detach", "--no-checkout")
    try:
        git_in(repo.root, "worktree", "add", *options, str(tree), "HEAD")
    except GitError as error:
        if classify(error.output) is Cause.READ_ONLY:
            raise PipelineError(f"{error}: {advice(Cause.READ_ONLY)}.") from error
        raise


def _remove_worktrees(repo: Repo) -> None:
    """Remove the worktrees that killed publishes of this clone left behind."""
    listing = git(repo.root, "worktree", "list", "--porcelain")
    for line in listing.splitlines():
        if not line.startswith("worktree "):
            continue
        path = Path(line.removeprefix("worktree "))
        if not path.name.startswith(PREFIX) or not path.parent.exists():
            continue
        if path.parent.samefile(repo.build):
            # The Git of a killed publish may still write there. What cannot be removed
            # now is removed the next time.
            shutil.rmtree(path, ignore_errors=True)
    git(repo.root, "worktree", "prune")
