"""Plan the jobs of a workflow run: by the event, the changed files and the budget.

A push that only brings the pipeline's own commits needs no job.
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

PUSH = "push"
REQUESTS = ("pull_request", "merge_group")
PUBLISHED = ("train", "publish")
SHIPPED = ("images", "smoke", "release")
# `act` has neither Windows nor ARM, and the slow tests would rehearse this workflow
# within itself.
NOT_REHEARSED = {"test-windows", "images-arm", "e2e"}
# Files that are part of neither a model nor an image. The tests look at all of them.
DOCUMENTS = (
    "docs/",
    ".github/ISSUE_TEMPLATE/",
    ".github/pull_request_template.md",
    "LICENSE",
)
NOTHING = "0" * 40


@dataclass(frozen=True)
class Event:
    """What started the workflow.

    Attributes:
        name: GitHub's name of the event, such as `push`.
        ref: the Git reference of the event, such as `refs/heads/main`.
        default: the repository's default branch.
        own: only the pipeline's own commits are new.
        documents: only documents have changed.
        champion: at least one model is in service, so the stack can be started and
            asked.
    """

    name: str
    ref: str
    default: str
    own: bool = False
    documents: bool = False
    champion: bool = True


@dataclass(frozen=True)
class Plan:
    """The jobs to run, and the reason in a sentence or two."""

    jobs: tuple[str, ...]
    why: str


def plan(event: Event, allowed: Budget) -> Plan:
    """Return the jobs that an event needs within a budget."""
    if event.name == PUSH and event.own:
        return Plan((), "The pipeline's own commits start no other run.")
    if event.documents:
        why = "Only documents changed: nothing is trained, published or built."
        return Plan(("lint", "test"), why)
    checks: tuple[str, ...] = ("lint", "test")
    if allowed.thorough:
        checks += ("test-windows",)
    if event.name in REQUESTS:
        return _plan_request(event, allowed, checks)
    branch = event.ref.removeprefix("refs/heads/")
    if branch != event.default:
        why = f"The branch {branch}: the new models are reported, not published."
        return Plan((*checks, "train"), why)
    jobs = (*checks, *PUBLISHED, *SHIPPED)
    if allowed.thorough:
        jobs += ("images-arm", "e2e")
    return Plan(jobs, f"{branch}: the new models are published.")


def _plan_request(event: Event, allowed: Budget, checks: tuple[str, ...]) -> Plan:
    """Return the jobs of a pull request, or of a group in the merge queue."""
    jobs = (*checks, "train")
    if allowed.thorough and event.champion:
        jobs += ("smoke", "e2e")
    queued = event.name == "merge_group"
    what = "The merge queue" if queued else "A pull request"
    return Plan(jobs, f"{what}: everything is tested, nothing is published.")


def read_event(name: str, content: dict[str, Any], folder: Path) -> Event:
    """Return the event, from GitHub's description of it and the checkout."""
    before, after = _range(name, content)
    repository = content.get("repository", {})
    own = False
    documents = False
    # What a new or rewritten branch brings cannot be told from what was there before.
    if name != "workflow_dispatch" and _continues(folder, before, after):
        own = not own_commits.foreign(folder, after, before)
        documents = _only_documents(folder, before, after)
    manifests = folder.glob("deployment/models/*/manifest.json")
    return Event(
        name=name,
        ref=os.environ.get("GITHUB_REF", ""),
        default=repository.get("default_branch", ""),
        own=own,
        documents=documents,
        champion=any(manifests),
    )


def _range(name: str, content: dict[str, Any]) -> tuple[str, str]:
    """Return the commits before and after an event."""
    if name == "pull_request":
        # What is checked out is the merge of the request into its base.
        return "HEAD^1", "HEAD"
    if name == "merge_group":
        group = content["merge_group"]
        return group["base_sha"], group["head_sha"]
    return content.get("before") or NOTHING, content.get("after") or "HEAD"


def _continues(folder: Path, before: str, after: str) -> bool:
    if before == NOTHING:
        return False
    commit = f"{before}^{{commit}}"
    return succeeds(folder, "merge-base", "--is-ancestor", commit, after)


def _only_documents(folder: Path, before: str, after: str) -> bool:
    """Return whether documents have changed, and nothing else."""
    options = ("-c", "core.quotePath=off", "diff", "--name-only", "--no-renames")
    changed = git(folder, *options, before, after).splitlines()
    return bool(changed) and all(_is_document(path) for path in changed)


def _is_document(path: str) -> bool:
    if "/" in path:
        return path.startswith(DOCUMENTS)
    return path.endswith(".md") or path in DOCUMENTS


def write_outputs(event: Event, planned: Plan, allowed: Budget, private: bool) -> None:
    """Write jobs and matrices as JSON lists, the reason, and the budget's name."""
    jobs = list(planned.jobs)
    if "ACT" in os.environ:
        jobs = [job for job in jobs if job not in NOT_REHEARSED]
    pythons = allowed.pythons
    if event.documents:
        pythons = pythons[-1:]
    minutes = ""
    if private:
        counted = ("plan", *jobs, "verdict")
        estimate = budget.minutes(counted, len(pythons), len(allowed.images))
        minutes = str(estimate)
    put(
        jobs=json.dumps(jobs),
        why=planned.why,
        budget=allowed.name,
        pythons=json.dumps(pythons),
        images=json.dumps(allowed.images),
        scan=json.dumps(allowed.thorough),
        minutes=minutes,
    )
    names = ", ".join(jobs) or "none"
    print(f"{planned.why} Budget: {allowed.name}. Jobs: {names}.")


def main() -> int:
    """Plan the run; return 1 if the budget or a commit is unknown."""
    path = Path(os.environ.get("GITHUB_EVENT_PATH") or os.devnull)
    text = path.read_text("utf-8")
    content = json.loads(text or "{}")
    repository = content.get("repository", {})
    private = bool(repository.get("private"))
    name = os.environ.get("GITHUB_EVENT_NAME", "")
    chosen = os.environ.get("MLOPS_BUDGET", "")
    try:
        allowed = budget.choose(chosen, private)
        event = read_event(name, content, Path())
    except (GitError, budget.UnknownBudget) as error:
        print(f"error: {error}", file=sys.stderr)
        put(failure=str(error))
        return 1
    write_outputs(event, plan(event, allowed), allowed, private)
    return 0


if __name__ == "__main__":
    sys.exit(console.run(main))
