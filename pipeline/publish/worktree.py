"""The worktree that a publish works in: made for it, below `build/`, and removed after
it.
"""

import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from core.errors import PipelineError
from core.git import GitError, git
from pipeline.publish.push_errors import Cause, advice, classify
from pipeline.repo import Repo

# `rev-parse --path-format` came with 2.31, in March 2021.
OLDEST_GIT = (2, 31)
# Short, because it comes before every path of the repository, and Windows has 260
# characters.
PREFIX = "p-"
# What the user has set for their own checkout must not change what is published: a part
# of the files only, other line ends, other paths in the worktree's own files.
_SETTINGS = {
    "core.sparseCheckout": "false",
    "index.sparse": "false",
    "core.autocrlf": "false",
    "core.eol": "lf",
    "core.safecrlf": "false",
    "worktree.useRelativePaths": "false",
}
_OPTIONS = tuple(
    part for key, value in _SETTINGS.items() for part in ("-c", f"{key}={value}")
)


def git_in(
    tree: Path,
    *arguments: str,
    stdin: str | None = None,
    variables: Mapping[str, str] | None = None,
) -> str:
    """Run Git in a publish's worktree, whatever the user has set for the checkout; see
    `git`.
    """
    return git(tree, *_OPTIONS, *arguments, stdin=stdin, variables=variables)


@contextmanager
def worktree(repo: Repo) -> Iterator[Path]:
    """Make a worktree of the clone, with nothing in it yet, and remove it afterwards.

    Raises:
        PipelineError: another publish runs in this clone, Git is too old, the project
            is a folder of another repository, or the clone cannot be written to.
    """
    _require_git()
    if inside := git(repo.root, "rev-parse", "--show-prefix"):
        raise PipelineError(
            f"{repo.root} is the folder {inside} of another repository: publish needs a"
            " repository whose root it is."
        )
    common = Path(
        git(repo.root, "rev-parse", "--path-format=absolute", "--git-common-dir")
    )
    repo.build.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(common / "pipeline-publish.lock", timeout=0):
            _remove_worktrees(repo)
            tree = Path(tempfile.mkdtemp(prefix=PREFIX, dir=repo.build)).resolve()
            try:
                _add(repo, tree)
                yield tree
            finally:
                shutil.rmtree(tree, ignore_errors=True)
                _remove_worktrees(repo)
    except Timeout as error:
        raise PipelineError(
            "another publish from this clone is under way: wait for it, or use a second"
            " clone."
        ) from error
    except PermissionError as error:
        if error.filename is None or common not in Path(error.filename).parents:
            raise
        raise PipelineError(
            f"{common} is read-only: {advice(Cause.READ_ONLY)}."
        ) from error


def checkout(tree: Path, commit: str) -> None:
    """Make the worktree's files those of a commit, and remove all others.

    Raises:
        PipelineError: Git takes another folder than this one for the worktree. What is
            in that folder may be somebody's work.
    """
    _require_own(tree)
    git_in(tree, "reset", "--hard", "--quiet", commit)
    git_in(tree, "clean", "-ffdxq")


def _require_own(tree: Path) -> None:
    top = Path(git_in(tree, "rev-parse", "--show-toplevel"))
    directory = Path(git_in(tree, "rev-parse", "--absolute-git-dir"))
    own = tree.name.startswith(PREFIX) and directory.parent.name == "worktrees"
    if not (own and top.samefile(tree)):
        raise PipelineError(
            f"Git takes {top} for the worktree of this publish, which is {tree}:"
            " nothing was changed. Run the command in a usual clone."
        )


def _require_git() -> None:
    said = git(Path(), "version")
    found = re.search(r"(\d+)\.(\d+)", said)
    if found and tuple(map(int, found.groups())) < OLDEST_GIT:
        raise PipelineError(
            f"{said} is too old to publish with: install Git"
            f" {'.'.join(map(str, OLDEST_GIT))} or newer."
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
    """Remove the worktrees that a killed publish of this clone left behind, and no
    other folder.
    """
    for line in git(repo.root, "worktree", "list", "--porcelain").splitlines():
        path = Path(line.removeprefix("worktree "))
        ours = line.startswith("worktree ") and path.name.startswith(PREFIX)
        if ours and path.parent.exists() and path.parent.samefile(repo.build):
            # A killed publish's Git may still write there; what cannot go now goes next
            # time.
            shutil.rmtree(path, ignore_errors=True)
    git(repo.root, "worktree", "prune")
