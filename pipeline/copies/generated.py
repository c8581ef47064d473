"""Generates the files that a program derives from the code, such as reference pages."""

import subprocess
import sys
from pathlib import Path

from core.git import environment, git
from pipeline.copies.sides import GENERATED

_ADVICE = "run `nox -s docs` and commit what it changes."


def make_again(tree: Path) -> list[str]:
    """Generate the files of a worktree from its own code, as `nox -s docs` does.

    Returns a note if that fails, because the installed packages may not be those that
    the code needs.
    """
    command = [sys.executable, "-m", "tools.reference"]
    done = subprocess.run(
        command,
        cwd=tree,
        env=environment(),
        capture_output=True,
        encoding="utf-8",
        errors="replace",
    )
    if done.returncode:
        lines = done.stderr.strip().splitlines()
        reason = lines[-1] if lines else "no reason given"
        return [f"The generated pages are those of the template ({reason}): {_ADVICE}"]
    present = [pattern for pattern in GENERATED if any(tree.glob(pattern))]
    git(tree, "add", "--all", "--", *present)
    return []
