"""Making again what a program writes of the code: reference pages and dashboards."""

import subprocess
import sys
from pathlib import Path

from core.git import environment, git
from pipeline.copies.sides import GENERATED

_ADVICE = "run `nox -s docs` and commit what it changes."


def make_again(tree: Path) -> list[str]:
    """Write the generated files of a worktree from its own code, as `nox -s docs` does.

    Returns what there is to say: the installed packages may not be those that the code
    needs.
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
        reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        return [
            f"The generated pages are as the template has them ({reason}): {_ADVICE}"
        ]
    there = [pattern for pattern in GENERATED if any(tree.glob(pattern))]
    git(tree, "add", "--all", "--", *there)
    return []
