"""A copy of the checkout, with the changes that are not committed yet."""

import shutil
from pathlib import Path

from core.errors import PipelineError
from core.git import git
from scripts.stack.settings import ROOT, StackError


def copy_to(target: Path) -> None:
    """Clone the repository into a folder, and copy uncommitted changes to it.

    Raises:
        StackError: there is no repository here.
    """
    try:
        git(ROOT, "clone", "--quiet", str(ROOT), str(target))
        changed = git(ROOT, "diff", "-z", "--name-only", "--no-renames", "HEAD")
        new = git(ROOT, "ls-files", "-z", "--others", "--exclude-standard")
    except PipelineError as error:
        raise StackError(f"{ROOT} cannot be cloned: {error}") from error
    names = changed.split("\0")
    names += new.split("\0")
    for name in names:
        if name:
            _update(ROOT / name, target / name)


def _update(source: Path, target: Path) -> None:
    """Copy a file, or remove the copy if the file no longer exists."""
    target.unlink(missing_ok=True)
    if source.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source, target)
