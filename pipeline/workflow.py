"""The workflow run on GitHub that this program is part of, if there is one."""

import os
import sys

# How GitHub expects these characters in an annotation; "%" comes first.
_ESCAPES = {
    "%": "%25",
    "\r": "%0D",
    "\n": "%0A",
}


def run_url() -> str:
    """Return the address of the workflow run's page; empty outside of a workflow."""
    run = os.environ.get("GITHUB_RUN_ID")
    if not run:
        return ""
    server = os.environ.get("GITHUB_SERVER_URL", "")
    repository = os.environ.get("GITHUB_REPOSITORY", "")
    return f"{server}/{repository}/actions/runs/{run}"


def notice(title: str, text: str) -> None:
    """Report something worth knowing although nothing failed; GitHub shows it."""
    _annotate("notice", title, text)


def warning(title: str, text: str) -> None:
    """Report something that may soon need attention; GitHub shows it."""
    _annotate("warning", title, text)


def _annotate(kind: str, title: str, text: str) -> None:
    """Print an annotation for GitHub in a workflow, or a sentence elsewhere."""
    if os.environ.get("GITHUB_ACTIONS") != "true":
        print(f"{kind}: {title}: {text}", file=sys.stderr)
        return
    for character, escape in _ESCAPES.items():
        text = text.replace(character, escape)
    print(f"::{kind} title={title}::{text}", flush=True)
