"""Plan the jobs of a workflow run: by the event, the changed files and the budget.

A push that only brings the pipeline's own commits needs no job.
"""

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.file_names import RELEASE
from core.git import GitError, git, is_ancestor
from scripts import console
from scripts.ci import budget, own_commits
from scripts.ci.budget import Budget
from scripts.ci.outputs import put

PUSH = "push"
REQUESTS = ("pull_request", "merge_group")
PUBLISHED = ("train", "publish")
SHIPPED = ("images", "smoke", "release", "model-releases")
# `act` has neither Windows nor ARM nor GitHub's releases, and the slow tests would
# rehearse this workflow within itself.
NOT_REHEARSED = {"test-windows", "images-arm", "e2e", "model-releases"}
# Files that are part of neither a model nor an image. The tests look at all of them. Who
# goes back to an earlier release changes the release alone: a new one would undo that.
DOCUMENTS = (
    RELEASE,
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
        champion: at least one model is in service, so the stack can be started.
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
    jobs: tuple[str, ...] = ("lint", "test")
    if event.documents:
        why = (
            "Only documents or the release changed: nothing is trained, published or"
            " built."
        )
        return Plan(jobs, why)
    if allowed.thorough:
        jobs += ("test-windows",)
    if event.name in REQUESTS:
        jobs += _jobs_of_request(event, allowed)
        what = "A pull request"
        if event.name == "merge_group":
            what = "The merge queue"
        return Plan(jobs, f"{what}: everything is tested, nothing is published.")
    branch = event.ref.removeprefix("refs/heads/")
    if branch != event.default:
        jobs += ("train",)
        why = f"The branch {branch}: the new models are reported, not published."
        return Plan(jobs, why)
    published = f"{branch}: runs, decisions and better models are published"
    if allowed.course:
        why = f"{published}; a copy for the course ships no images."
        return Plan(("lint",) + PUBLISHED, why)
    jobs += PUBLISHED
    jobs += SHIPPED
    if allowed.thorough:
        jobs += ("images-arm", "e2e")
    return Plan(jobs, f"{published}.")


def _jobs_of_request(event: Event, allowed: Budget) -> tuple[str, ...]:
    """Return the jobs of a pull request or a merge queue, after the checks."""
    if allowed.thorough and event.champion:
        return ("train", "smoke", "e2e")
    return ("train",)


def read_event(name: str, content: dict[str, Any], folder: Path) -> Event:
    """Return the event, from GitHub's description of it and the checkout."""
    before, after = _range(name, content)
    repository = content.get("repository", {})
    own = False
    documents = False
    # In a new or rewritten branch, new commits cannot be distinguished from old ones.
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
        # The checkout is the merge of the request into its base.
        return "HEAD^1", "HEAD"
    if name == "merge_group":
        group = content["merge_group"]
        return group["base_sha"], group["head_sha"]
    before = content.get("before") or NOTHING
    after = content.get("after") or "HEAD"
    return before, after


def _continues(folder: Path, before: str, after: str) -> bool:
    if before == NOTHING:
        return False
    return is_ancestor(folder, f"{before}^{{commit}}", after)


def _only_documents(folder: Path, before: str, after: str) -> bool:
    """Return whether documents have changed, and nothing else."""
    options = ("-c", "core.quotePath=off", "diff", "--name-only", "--no-renames")
    changed = git(folder, *options, before, after).splitlines()
    if not changed:
        return False
    return all(_is_document(path) for path in changed)


def _is_document(path: str) -> bool:
    if "/" in path:
        return path.startswith(DOCUMENTS)
    return path.endswith(".md") or path in DOCUMENTS


def shards(planned: Plan, wanted: int, named: str) -> list[str]:
    """Return the numbers of the jobs that share the training; one without a number.

    What is not published is trained in one job, since its report is about all tasks.

    Args:
        planned: the plan.
        wanted: the number of jobs that the repository asks for.
        named: the tasks to train, separated by blanks; all if it is empty.
    """
    count = wanted
    if named.split():
        count = min(wanted, len(named.split()))
    if count == 1 or "publish" not in planned.jobs:
        return [""]
    return [str(number) for number in range(1, count + 1)]


def write_outputs(
    event: Event, planned: Plan, allowed: Budget, trainings: list[str], private: bool
) -> None:
    """Write jobs and matrices as JSON lists, the reason, and the budget's name."""
    jobs = []
    for job in planned.jobs:
        if "ACT" not in os.environ or job not in NOT_REHEARSED:
            jobs.append(job)
    pythons = allowed.pythons
    if event.documents:
        pythons = pythons[-1:]
    minutes = ""
    if private:
        counted = ("plan", *jobs, "verdict")
        estimate = budget.minutes(
            counted, len(pythons), len(allowed.images), len(trainings)
        )
        minutes = str(estimate)
    put(
        jobs=json.dumps(jobs),
        why=planned.why,
        budget=allowed.name,
        pythons=json.dumps(pythons),
        images=json.dumps(allowed.images),
        shards=json.dumps(trainings),
        shard_count=str(len(trainings)),
        scan=json.dumps(allowed.thorough),
        minutes=minutes,
    )
    names = ", ".join(jobs) or "none"
    print(f"{planned.why} Budget: {allowed.name}. Jobs: {names}.")


def main() -> int:
    """Plan the run; return 1 if a setting or a commit is unknown."""
    path = Path(os.environ.get("GITHUB_EVENT_PATH") or os.devnull)
    text = path.read_text("utf-8")
    content = json.loads(text or "{}")
    repository = content.get("repository", {})
    private = bool(repository.get("private"))
    name = os.environ.get("GITHUB_EVENT_NAME", "")
    chosen = os.environ.get("MLOPS_BUDGET", "")
    try:
        course = budget.is_for_course(Path())
        allowed = budget.choose(chosen, private, course)
        wanted = budget.train_jobs(os.environ.get("MLOPS_TRAIN_JOBS", ""))
        event = read_event(name, content, Path())
    except (GitError, budget.UnknownBudget, budget.UnknownTrainJobs) as error:
        print(f"error: {error}", file=sys.stderr)
        put(failure=str(error))
        return 1
    planned = plan(event, allowed)
    inputs = content.get("inputs") or {}
    trainings = shards(planned, wanted, inputs.get("tasks") or "")
    write_outputs(event, planned, allowed, trainings, private)
    return 0


if __name__ == "__main__":
    sys.exit(console.run(main))
