"""Decide which of tonight's jobs have to run: `python3 -m scripts.ci.nightly`.

From the environment: BRANCH, MLOPS_BUDGET, PRIVATE (`true` or `false`),
GITHUB_EVENT_NAME, and what `scripts/ci/api.py` needs; the token may read actions.
"""

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from core.counts import counted
from core.git import GitError, succeeds
from scripts import console
from scripts.ci import api, budget, own_commits
from scripts.ci.outputs import put, summarize

WORKFLOW = "nightly.yml"


@dataclass(frozen=True)
class Decision:
    """Whether the night's jobs run, and the reason."""

    run: bool
    why: str


def decide(allowed: budget.Budget) -> Decision:
    """Decide whether the night's jobs run.

    Args:
        allowed: the budget of the repository.

    Raises:
        ApiError: GitHub does not answer with the last night's run.
        MissingVariable: the step does not pass a variable.
    """
    if os.environ.get("GITHUB_EVENT_NAME") == "workflow_dispatch":
        return Decision(True, "Somebody started it.")
    if allowed.course:
        return Decision(False, "A copy for the course has no nights.")
    last = _last_green_commit()
    if not last:
        return Decision(True, "No night has been green yet.")
    if not succeeds(Path(), "cat-file", "-e", f"{last}^{{commit}}"):
        why = f"The branch no longer holds {last[:9]}, the last green night's commit."
        return Decision(True, why)
    pushed = own_commits.foreign(Path(), "HEAD", last)
    commits = counted(len(pushed), "commit") if pushed else "No commit"
    why = f"{commits} of people since {last[:9]}, the last green night's commit."
    return Decision(bool(pushed), why)


def _last_green_commit() -> str:
    """Return the commit of the last successful night, empty if there is none."""
    branch = quote(api.needed("BRANCH"), safe="")
    path = (
        f"/actions/workflows/{WORKFLOW}/runs?status=success&per_page=1&branch={branch}"
    )
    runs = api.call(path)["workflow_runs"]
    if not runs:
        return ""
    return str(runs[0]["head_sha"])


def main() -> int:
    """Write the outputs, and the reason to the summary of the run.

    The output `run` is `true` if there is something to do, and `thorough` if the budget
    allows all of it.
    """
    try:
        private = os.environ.get("PRIVATE") == "true"
        chosen = os.environ.get("MLOPS_BUDGET", "")
        allowed = budget.choose(chosen, private, budget.is_for_course(Path()))
        decision = decide(allowed)
    except api.MissingVariable as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except (api.ApiError, budget.UnknownBudget, GitError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    put(run=_text(decision.run), thorough=_text(decision.run and allowed.thorough))
    summarize(decision.why)
    return 0


def _text(value: bool) -> str:
    return "true" if value else "false"


if __name__ == "__main__":
    sys.exit(console.run(main))
