"""Which jobs an event calls for: by where it happened, by what changed, and by the
budget.

Nothing is done for a push that brings the pipeline's own commits alone.
"""

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.git import GitError, git, succeeds
from scripts import console
from scripts.ci import budget, own_commits
from scripts.ci.budget import Budget
from scripts.ci.outputs import put

PUSH, REQUESTS = "push", ("pull_request", "merge_group")
PUBLISHED = ("train", "publish")
SHIPPED = ("images", "smoke", "release")
# `act` has neither Windows nor ARM, and the slow tests would rehearse this workflow
# within itself.
NOT_REHEARSED = {"test-windows", "images-arm", "e2e"}
# What neither a model nor an image is made of. The tests look at all of it.
PAPER = (
    "docs/",
    ".github/ISSUE_TEMPLATE/",
    ".github/pull_request_template.md",
    "LICENSE",
)
NOTHING = "0" * 40


@dataclass(frozen=True)
class Event:
    """What happened.

    Attributes:
        name: GitHub's name of it, such as `push`.
        ref: what it happened to, such as `refs/heads/main`.
        default: the repository's default branch.
        own: it brings nothing but the pipeline's own commits.
        paper: it changes nothing but documents.
        champion: there is a model in service, so there is something to start and to
            ask.
    """

    name: str
    ref: str
    default: str
    own: bool = False
    paper: bool = False
    champion: bool = True


@dataclass(frozen=True)
class Plan:
    """The jobs that are to run, and why, in a sentence or two."""

    jobs: tuple[str, ...]
    why: str


def plan(event: Event, allowed: Budget) -> Plan:
    """Decide."""
    if event.name == PUSH and event.own:
        return Plan(
            (), "The pipeline's own commits: they are not answered with another run."
        )
    checks = ("lint", "test") + (("test-windows",) if allowed.thorough else ())
    if event.paper:
        return Plan(
            ("lint", "test"), "Documents alone: nothing is trained, published or built."
        )
    if event.name in REQUESTS:
        what = "The merge queue" if event.name == "merge_group" else "A pull request"
        said = f"{what}: all is tried, nothing is published."
        shipped = ("smoke", "e2e") if allowed.thorough and event.champion else ()
        return Plan((*checks, "train", *shipped), said)
    branch = event.ref.removeprefix("refs/heads/")
    if branch == event.default:
        slow = ("images-arm", "e2e") if allowed.thorough else ()
        said = f"{branch}: what is retrained is published."
        return Plan((*checks, *PUBLISHED, *SHIPPED, *slow), said)
    said = f"The branch {branch}: what is retrained is reported, not published."
    return Plan((*checks, "train"), said)


def read(event: str, content: dict[str, Any], folder: Path) -> Event:
    """Return what happened, from GitHub's event and the checkout."""
    default = content.get("repository", {}).get("default_branch", "")
    before, after = content.get("before") or NOTHING, content.get("after") or "HEAD"
    if event == "pull_request":
        # What is checked out is the merge of the request into its base.
        before, after = "HEAD^1", "HEAD"
    elif event == "merge_group":
        before, after = (
            content["merge_group"]["base_sha"],
            content["merge_group"]["head_sha"],
        )
    # Of a branch that is new or was rewritten, what came in cannot be told from what
    # was there.
    known = event != "workflow_dispatch" and _continues(folder, before, after)
    return Event(
        name=event,
        ref=os.environ.get("GITHUB_REF", ""),
        default=default,
        own=known and not own_commits.foreign(folder, after, before),
        paper=known and _is_paper(folder, before, after),
        champion=any(folder.glob("deployment/models/*/manifest.json")),
    )


def _continues(folder: Path, before: str, after: str) -> bool:
    return before != NOTHING and succeeds(
        folder, "merge-base", "--is-ancestor", f"{before}^{{commit}}", after
    )


def _is_paper(folder: Path, before: str, after: str) -> bool:
    """Tell whether documents changed, and nothing else."""
    options = ("-c", "core.quotePath=off", "diff", "--name-only", "--no-renames")
    changed = git(folder, *options, before, after).splitlines()
    return bool(changed) and all(
        path.startswith(PAPER) or ("/" not in path and path.endswith(".md"))
        for path in changed
    )


def main() -> int:
    """Write the plan as outputs: jobs and matrices as JSON lists, why, and the budget's
    name.
    """
    event = os.environ.get("GITHUB_EVENT_NAME", "")
    path = Path(os.environ.get("GITHUB_EVENT_PATH") or os.devnull)
    content = json.loads(path.read_text("utf-8") or "{}")
    private = bool(content.get("repository", {}).get("private"))
    try:
        allowed = budget.choose(os.environ.get("MLOPS_BUDGET", ""), private)
        happened = read(event, content, Path())
        made = plan(happened, allowed)
    except (GitError, budget.UnknownBudget) as error:
        print(f"error: {error}", file=sys.stderr)
        put(failure=str(error))
        return 1
    jobs = [
        job for job in made.jobs if "ACT" not in os.environ or job not in NOT_REHEARSED
    ]
    pythons = allowed.pythons[-1:] if happened.paper else allowed.pythons
    put(
        jobs=json.dumps(jobs),
        why=made.why,
        budget=allowed.name,
        pythons=json.dumps(pythons),
        images=json.dumps(allowed.images),
        scan=json.dumps(allowed.thorough),
        minutes=str(_minutes(jobs, pythons, allowed)) if private else "",
    )
    print(f"{made.why} Budget: {allowed.name}. Jobs: {', '.join(jobs) or 'none'}.")
    return 0


def _minutes(jobs: list[str], pythons: tuple[str, ...], allowed: Budget) -> int:
    return budget.minutes(("plan", *jobs, "verdict"), len(pythons), len(allowed.images))


if __name__ == "__main__":
    sys.exit(console.run(main))
