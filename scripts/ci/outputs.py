"""What a step leaves for others: outputs for later steps and jobs, and the page of the
run.
"""

import os
import sys
from pathlib import Path


def put(**outputs: str) -> None:
    """Print outputs of this step, each one line; in a workflow later steps and jobs
    read them.
    """
    lines = "".join(
        f"{name}={' '.join(text.split())}\n" for name, text in outputs.items()
    )
    print(lines, end="", file=sys.stderr, flush=True)
    _append("GITHUB_OUTPUT", lines)


def summarize(markdown: str) -> None:
    """Add to the page of this run; outside of a workflow it is printed."""
    if not _append("GITHUB_STEP_SUMMARY", markdown + "\n"):
        print(markdown)


def _append(variable: str, text: str) -> bool:
    """Add to the file that a variable names; tell whether there is one."""
    path = os.environ.get(variable)
    if path:
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(text)
    return bool(path)
