"""The commits that the pipeline itself makes, told apart from those of people: in one
place.

The plan, the release and the images ask here, so that they cannot come to different
answers.
"""

from pathlib import Path

from core.file_names import is_owned
from core.git import GitError, git

# The trailers of the commits of `pipeline publish`.
TRAILER = "Mlops-Publish"  # the commit that was trained
WORKFLOW = (
    "Mlops-Workflow"  # the workflow run that published; a publication by hand has none
)


def is_own(folder: Path, commit: str) -> bool:
    """Tell whether the pipeline made a commit: by its trailer and by what it touches.

    Both, because a squashed pull request can carry the trailer of a commit that it
    contains. The author says nothing: anybody can call himself anything. Of a merge,
    what counts is what it has from neither side.
    """
    touched = git(
        folder,
        *(
            "-c",
            "core.quotePath=off",
            "diff-tree",
            "--root",
            "--no-commit-id",
            "--name-only",
        ),
        *("-r", "-c", "--no-renames", commit),
    )
    return bool(_trailer(folder, commit, TRAILER)) and all(
        is_owned(path) for path in touched.splitlines()
    )


def foreign(folder: Path, tip: str, *known: str) -> list[str]:
    """Return the commits up to `tip` that people made, newest first, but for those
    below `known`.

    Raises:
        GitError: a commit is not in this clone.
    """
    listed = git(folder, "rev-list", tip, *(f"^{commit}" for commit in known))
    return [commit for commit in listed.splitlines() if not is_own(folder, commit)]


def untested(folder: Path, tested: str, tip: str) -> list[str]:
    """Return the commits of people up to `tip` that no workflow run has linted and
    tested.

    A run that published has linted and tested the commit that its trailer names, and
    with it all that the commit contains. So what is left is code that came after
    `tested` and that no such run answers for yet: its own run does, or stops at it.

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
    return foreign(
        folder, tip, tested, *filter(lambda name: _known(folder, name), passed)
    )


def _trailer(folder: Path, commit: str, key: str) -> str:
    return git(
        folder, "log", "-1", f"--format=%(trailers:key={key},valueonly)", commit
    ).strip()


def _known(folder: Path, commit: str) -> bool:
    try:
        git(folder, "rev-parse", "--verify", "--quiet", f"{commit}^{{commit}}")
    except GitError:
        return False
    return True
