"""What a step leaves for others: outputs for later steps and jobs, and the page of the run."""

import os
from pathlib import Path


def put(**outputs: str) -> None:
    """Set outputs of this step, each one line; outside of a workflow they are printed."""
    lines = [f"{name}={' '.join(text.split())}" for name, text in outputs.items()]
    _append("GITHUB_OUTPUT", "\n".join(lines))


def summarize(markdown: str) -> None:
    """Add to the page of this run; outside of a workflow it is printed."""
    _append("GITHUB_STEP_SUMMARY", markdown)


def _append(variable: str, text: str) -> None:
    path = os.environ.get(variable)
    if not path:
        print(text)
        return
    with Path(path).open("a", encoding="utf-8") as file:
        file.write(text + "\n")
