"""Outputs of a workflow's step, and the summary of its run."""

import os
import sys
from pathlib import Path


def put(**outputs: str) -> None:
    """Write outputs of this step, one line each, for later steps and jobs to read.

    They are printed to standard error too.
    """
    lines = ""
    for name, text in outputs.items():
        one_line = " ".join(text.split())
        lines += f"{name}={one_line}\n"
    print(lines, end="", file=sys.stderr, flush=True)
    _append("GITHUB_OUTPUT", lines)


def summarize(markdown: str) -> None:
    """Add to the summary of this run; outside a workflow, print it."""
    if not _append("GITHUB_STEP_SUMMARY", markdown + "\n"):
        print(markdown)


def _append(variable: str, text: str) -> bool:
    """Append to the file that a variable names; return whether there is one."""
    path = os.environ.get(variable)
    if not path:
        return False
    with Path(path).open("a", encoding="utf-8") as file:
        file.write(text)
    return True
