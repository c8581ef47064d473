"""Tell the pipeline's own commits from those of people, in one place.

The plan, the release and the images use it, so that they cannot come to different
results.
"""

from pathlib import Path

from core.file_names import is_owned
from core.git import GitError, git

# The trailers of the commits of `pipeline publish`.

# The commit that was trained.
TRAILER = "Mlops-Publish"
# The workflow run that published; a publication from a person's machine has none.
WORKFLOW = "Mlops-Workflow"


# The command that lists the files a commit changes.
CHANGED_FILES = (
    "-c",
    "core.quotePath=off",
    "diff-tree",
    "--root",
    "--no-commit-id",
    "--name-only",
    "-r",
    "-c",
    "--no-renames",
)


def is_own(folder: Path, commit: str) -> bool:
    """Return whether the pipeline made a commit: by its trailer and its changed files.

    Both, because a squashed pull request can carry the trailer of a commit that it
    contains. The author proves nothing: anybody can use any name. Of a merge, only the
    files that differ from all its parents count.
    """
    if not _trailer(folder, commit, TRAILER):
        return False
    paths = git(folder, *CHANGED_FILES, commit).splitlines()
    return all(is_owned(path) for path in paths)


def foreign(folder: Path, tip: str, *known: str) -> list[str]:
    """Return people's commits up to `tip`, newest first, without those below `known`.

    Raises:
        GitError: a commit is not in this clone.
    """
    listed = git(folder, "rev-list", tip, *(f"^{commit}" for commit in known))
    return [commit for commit in listed.splitlines() if not is_own(folder, commit)]


def untested(folder: Path, tested: str, tip: str) -> list[str]:
    """Return people's commits up to `tip` that no workflow run has linted and tested.

    A run that published has linted and tested the commit that its trailer names, and
    all that the commit contains. What is left is code that came after `tested` and that
    no such run covers yet: its own run will, or stops at it.

    Args:
        tested: the commit that this run has linted and tested.
        tip: the commit that is to be shipped.

    Raises:
        GitError: a commit is not in this clone.
    """
    published = git(folder, "rev-list", tip, f"^{tested}").splitlines()
    passed = [
        _trailer(folder, commit, TRAILER)
        for commit in published
        if _trailer(folder, commit, WORKFLOW) and is_own(folder, commit)
    ]
    known = [name for name in passed if _known(folder, name)]
    return foreign(folder, tip, tested, *known)


def _trailer(folder: Path, commit: str, key: str) -> str:
    form = f"--format=%(trailers:key={key},valueonly)"
    return git(folder, "log", "-1", form, commit).strip()


def _known(folder: Path, commit: str) -> bool:
    try:
        git(folder, "rev-parse", "--verify", "--quiet", f"{commit}^{{commit}}")
    except GitError:
        return False
    return True
