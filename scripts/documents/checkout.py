"""A copy of the checkout as it is, with what is changed and not committed yet."""

import shutil
import subprocess
from pathlib import Path

from scripts.stack.settings import ROOT, StackError


def copy_to(target: Path) -> None:
    """Clone the repository into a folder, and copy there what is not committed.

    Raises:
        StackError: there is no repository here.
    """
    if subprocess.run(["git", "clone", "--quiet", ROOT, target], check=False).returncode:
        raise StackError(f"{ROOT} cannot be cloned; see above.")
    changed = ["git", "diff", "-z", "--name-only", "--no-renames", "HEAD"]
    new = ["git", "ls-files", "-z", "--others", "--exclude-standard"]
    listed = [
        subprocess.check_output(command, cwd=ROOT, encoding="utf-8") for command in (changed, new)
    ]
    for name in filter(None, "".join(listed).split("\0")):
        (target / name).unlink(missing_ok=True)
        if (ROOT / name).exists():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)
