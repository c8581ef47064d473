"""Decide whether tonight's jobs have to run: `python3 -m scripts.ci.nightly`.

From the environment: BRANCH, MLOPS_BUDGET, PRIVATE (`true` or `false`),
GITHUB_EVENT_NAME, and what `scripts/ci/api.py` needs; the token may read actions.
"""

import os
import sys
from pathlib import Path
from urllib.parse import quote

from core.git import GitError, succeeds
from scripts import console
from scripts.ci import api, budget, own_commits
from scripts.ci.outputs import put, summarize

WORKFLOW = "nightly.yml"


def due() -> tuple[bool, str]:
    """Return whether the night's jobs are to run, and why.

    Raises:
        UnknownBudget: MLOPS_BUDGET names none.
        ApiError: GitHub does not answer with the last night's run.
        MissingVariable: the step does not pass a variable.
    """
    private = os.environ.get("PRIVATE") == "true"
    allowed = budget.choose(os.environ.get("MLOPS_BUDGET", ""), private)
    if os.environ.get("GITHUB_EVENT_NAME") == "workflow_dispatch":
        return True, "Somebody started it."
    if allowed.thorough:
        return False, f"The budget is {allowed.name}: each push has run all of it."
    branch = quote(api.needed("BRANCH"), safe="")
    asked = (
        f"/actions/workflows/{WORKFLOW}/runs?status=success&per_page=1&branch={branch}"
    )
    runs = api.call(asked)["workflow_runs"]
    if not runs:
        return True, "No night has been green yet."
    last = str(runs[0]["head_sha"])
    if not succeeds(Path(), "cat-file", "-e", f"{last}^{{commit}}"):
        why = f"The branch no longer holds {last[:9]}, the last green night's commit."
        return True, why
    pushed = own_commits.foreign(Path(), "HEAD", last)
    count = len(pushed) or "No"
    why = f"{count} commits of people since {last[:9]}, the last green night's commit."
    return bool(pushed), why


def main() -> int:
    """Write the output `run`, and the reason to the summary of the run."""
    try:
        run, why = due()
    except (api.ApiError, api.MissingVariable, budget.UnknownBudget, GitError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2 if isinstance(error, api.MissingVariable) else 1
    put(run="true" if run else "false")
    summarize(why)
    return 0


if __name__ == "__main__":
    sys.exit(console.run(main))
