"""A copy of the checkout as it is, with what is changed and not committed yet."""

import shutil
from pathlib import Path

from core.errors import PipelineError
from core.git import git
from scripts.stack.settings import ROOT, StackError


def copy_to(target: Path) -> None:
    """Clone the repository into a folder, and copy there what is not committed.

    Raises:
        StackError: there is no repository here.
    """
    try:
        git(ROOT, "clone", "--quiet", str(ROOT), str(target))
        changed = git(ROOT, "diff", "-z", "--name-only", "--no-renames", "HEAD")
        new = git(ROOT, "ls-files", "-z", "--others", "--exclude-standard")
    except PipelineError as error:
        raise StackError(f"{ROOT} cannot be cloned: {error}") from error
    for name in filter(None, f"{changed}\0{new}".split("\0")):
        (target / name).unlink(missing_ok=True)
        if (ROOT / name).exists():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)
