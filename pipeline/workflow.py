"""The workflow run on GitHub that this program is part of, if it is part of one."""

import os


def run_url() -> str:
    """Return the address of the workflow run's page, empty outside of a workflow."""
    names = ("GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "GITHUB_RUN_ID")
    server, repository, run = (os.environ.get(name, "") for name in names)
    return f"{server}/{repository}/actions/runs/{run}" if run else ""
