"""The workflow run on GitHub that this program is part of, if it is part of one."""

import os
import sys


def run_url() -> str:
    """Return the address of the workflow run's page, empty outside of a workflow."""
    names = ("GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "GITHUB_RUN_ID")
    server, repository, run = (os.environ.get(name, "") for name in names)
    return f"{server}/{repository}/actions/runs/{run}" if run else ""


def notice(title: str, text: str) -> None:
    """Say what people should know though nothing failed; GitHub shows it on the run's
    page.
    """
    _tell("notice", title, text)


def warning(title: str, text: str) -> None:
    """Say what may need a person soon; GitHub shows it on the run's page."""
    _tell("warning", title, text)


def _tell(kind: str, title: str, text: str) -> None:
    if os.environ.get("GITHUB_ACTIONS") == "true":
        told = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
        print(f"::{kind} title={title}::{told}", flush=True)
    else:
        print(f"{kind}: {title}: {text}", file=sys.stderr)
