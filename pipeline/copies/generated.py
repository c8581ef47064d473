"""Generates the reference pages, which a program derives from the code."""

import subprocess
import sys
from pathlib import Path

from core.git import environment, git
from pipeline.copies.sides import GENERATED


def make_again(tree: Path) -> list[str]:
    """Generate the reference pages of a worktree from its own code, as `nox -s docs` does.

    Returns a note if that fails, since the installed packages may not be those that the
    code needs.
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
        reason = lines[-1] if lines else "no reason was given"
        note = (
            f"The reference pages could not be generated ({reason}), so they are those"
            " of the template: run `nox -s docs` and commit the changes."
        )
        return [note]
    present = [pattern for pattern in GENERATED if any(tree.glob(pattern))]
    git(tree, "add", "--all", "--", *present)
    return []
