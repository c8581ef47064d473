"""Starts the pipeline's workflow: `python3 -m scripts.ci.dispatch`.

From the environment: BRANCH (the default branch), TASKS (with blanks between; empty for
all), REASON, FRESH_DATA (`true` or `false`, also without), and what `scripts/ci/api.py`
needs; the token may write actions. In a workflow the page of the run says what was
started, and why.
"""

import os
import sys

from scripts import console
from scripts.ci import api
from scripts.ci.outputs import summarize

WORKFLOW = "mlops.yml"


def main() -> int:
    """Start the workflow and say so, or say in one sentence why not."""
    try:
        branch, repository = api.needed("BRANCH"), api.needed("GITHUB_REPOSITORY")
        tasks, reason = (os.environ.get(name, "") for name in ("TASKS", "REASON"))
        fresh = os.environ.get("FRESH_DATA") or "false"
        inputs = {"tasks": tasks, "reason": reason, "fresh_data": fresh}
        api.call(
            f"/actions/workflows/{WORKFLOW}/dispatches",
            {"ref": branch, "inputs": inputs},
        )
    except (api.ApiError, api.MissingVariable) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2 if isinstance(error, api.MissingVariable) else 1
    told = f"{tasks or 'all tasks'}: {reason or 'no reason given'}"
    print(f"Started {WORKFLOW} on {branch} for {told}")
    if os.environ.get("GITHUB_STEP_SUMMARY"):
        site = os.environ.get("GITHUB_SERVER_URL") or "https://github.com"
        page = f"{site}/{repository}/actions/workflows/{WORKFLOW}"
        summarize(f"Started [{WORKFLOW}]({page}) on {branch} for {told}")
    return 0


if __name__ == "__main__":
    sys.exit(console.run(main))
