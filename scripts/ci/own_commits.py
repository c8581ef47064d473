"""Distinguish the pipeline's own commits from those of people.

The plan, the release and the images all use it, and so always agree.
"""

from pathlib import Path

from core.file_names import is_owned
from core.git import GitError, git

# The trailers of the pipeline's own commits.

# The commit that was trained; `pipeline publish` writes it.
TRAILER = "Mlops-Publish"
# The commit that was released; `scripts.ci.declare` writes it.
RELEASED = "Mlops-Release"
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
    """Return whether a commit is the pipeline's: by its trailer and its changed files.

    Both are needed, because a squashed pull request can carry the trailer of a commit that it
    contains. The author proves nothing: anybody can use any name. Of a merge, only the
    files that differ from all its parents count.
    """
    trailers = [_trailer(folder, commit, key) for key in (TRAILER, RELEASED)]
    if not any(trailers):
        return False
    paths = git(folder, *CHANGED_FILES, commit).splitlines()
    return all(is_owned(path) for path in paths)


def foreign(folder: Path, tip: str, *excluded: str) -> list[str]:
    """Return people's commits up to `tip`, newest first, except those in `excluded`.

    Args:
        excluded: commits that are left out, with all commits that they contain.

    Raises:
        GitError: a commit is not in this clone.
    """
    exclusions = [f"^{commit}" for commit in excluded]
    listed = git(folder, "rev-list", tip, *exclusions)
    return [commit for commit in listed.splitlines() if not is_own(folder, commit)]


def untested(folder: Path, tested: str, tip: str) -> list[str]:
    """Return people's commits up to `tip` that no workflow run has linted and tested.

    A run that published has linted and tested the commit that its trailer names, and
    all that the commit contains. The rest is code that came after `tested` and that no
    such run covers yet: its own run will test it.

    Args:
        tested: the commit that this run has linted and tested.
        tip: the commit that is to be shipped.

    Raises:
        GitError: a commit is not in this clone.
    """
    published = git(folder, "rev-list", tip, f"^{tested}").splitlines()
    passed = [tested]
    for commit in published:
        if not _trailer(folder, commit, WORKFLOW) or not is_own(folder, commit):
            continue
        trained = _trailer(folder, commit, TRAILER)
        if _exists(folder, trained):
            passed.append(trained)
    return foreign(folder, tip, *passed)


def _trailer(folder: Path, commit: str, key: str) -> str:
    form = f"--format=%(trailers:key={key},valueonly)"
    return git(folder, "log", "-1", form, commit).strip()


def _exists(folder: Path, commit: str) -> bool:
    """Return whether a commit is in this clone."""
    try:
        git(folder, "rev-parse", "--verify", "--quiet", f"{commit}^{{commit}}")
    except GitError:
        return False
    return True
