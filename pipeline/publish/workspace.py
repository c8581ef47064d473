"""The folder in the clone's Git folder that a publish makes, works in and removes."""

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from core.errors import PipelineError
from core.git import git
from pipeline.publish.push_causes import Cause
from pipeline.publish.push_errors import advice
from pipeline.repo import Repo

# `rev-parse --path-format` came with 2.31, in March 2021.
OLDEST_GIT = (2, 31)
# Short, because it precedes every path of the repository, and Windows allows 260
# characters.
NAME = "publish"


@contextmanager
def workspace(repo: Repo) -> Iterator[Path]:
    """Make an empty folder for unfinished work, and remove it afterwards.

    It lies in the clone's Git folder, which all worktrees of the clone share and Git
    leaves alone. What a killed publish has left there is removed first.

    Raises:
        PipelineError: another publish runs in this clone, Git is too old, the project
            is a folder of another repository, or the clone cannot be written to.
    """
    _require_git()
    common = _git_folder(repo)
    try:
        with FileLock(common / "pipeline-publish.lock", timeout=0):
            folder = common / NAME
            # The Git of a killed publish may still write there for a moment.
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(exist_ok=True)
            try:
                yield folder.resolve()
            finally:
                shutil.rmtree(folder, ignore_errors=True)
    except Timeout as error:
        raise PipelineError(
            "another `pipeline publish`, `promote` or `promote-release` is running in"
            " this clone: wait until it ends, or use another clone."
        ) from error
    except PermissionError as error:
        is_in_git = error.filename and common in Path(error.filename).parents
        if not is_in_git:
            raise
        raise PipelineError(
            f"{common} is read-only for this user: {advice(Cause.READ_ONLY)}."
        ) from error


def _git_folder(repo: Repo) -> Path:
    """Return the Git folder that all worktrees of a clone share.

    Raises:
        PipelineError: the project is a folder of another repository.
    """
    prefix = git(repo.root, "rev-parse", "--show-prefix")
    if prefix:
        raise PipelineError(
            f"{repo.root} is the folder {prefix} of another Git repository: run the"
            " command in a clone of this project."
        )
    options = ("--path-format=absolute", "--git-common-dir")
    return Path(git(repo.root, "rev-parse", *options))


def _require_git() -> None:
    version = git(Path(), "version")
    numbers = re.search(r"(\d+)\.(\d+)", version)
    if numbers and (int(numbers[1]), int(numbers[2])) < OLDEST_GIT:
        major, minor = OLDEST_GIT
        raise PipelineError(
            f"{version} is too old for this command: install Git {major}.{minor} or"
            " newer."
        )
