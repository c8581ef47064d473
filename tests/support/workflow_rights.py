"""The rules about the rights that jobs have: each is a function that returns its faults."""

import re
from collections.abc import Iterator
from itertools import pairwise

from tests.support.json_content import Json
from tests.support.workflow_files import ON, Job, Step, Workflow

Faults = list[str]
WRITES = "write"
BASE = "${{ github.event.pull_request.base.sha }}"
# Actions that use a cache unless an option forbids it: for themselves, their program or
# their database.
CACHES_BY_DEFAULT = {
    "astral-sh/setup-uv": "enable-cache",
    "docker/setup-buildx-action": "cache-binary",
    "aquasecurity/trivy-action": "cache",
}
# GitHub's own actions, and the one that logs in to the registry.
TRUSTED = re.compile(r"actions/|docker/login-action@")


def rights_are_the_jobs_own(workflow: Workflow) -> Faults:
    """Nobody has a right by default: a job states its own, one by one."""
    faults = []
    by_default = workflow.content.get("permissions")
    if by_default != {}:
        faults.append("at the top: set permissions: {}")
    for name, job in workflow.jobs.items():
        rights = job.get("permissions")
        if not isinstance(rights, dict):
            faults.append(f"{name}: state the job's own permissions")
    return faults


def checkouts_keep_no_token(workflow: Workflow) -> Faults:
    """The token is for the step that pushes alone, and is never on a disk."""
    faults = []
    for job, step in workflow.steps():
        if not _checks_out(step):
            continue
        options = step.get("with", {})
        keeps_token = options.get("persist-credentials")
        if keeps_token is not False:
            faults.append(f"{job}: check out with persist-credentials: false")
    return faults


def _checks_out(step: Step) -> bool:
    action: str = step.get("uses", "")
    return action.startswith("actions/checkout@")


def writers_wait_for_one_another(workflow: Workflow) -> Faults:
    """Jobs that may write to the repository never do so at the same time."""
    faults = []
    writers = _writers(workflow)
    for earlier, later in pairwise(writers):
        job = workflow.jobs[later]
        if earlier not in _needed(job):
            faults.append(f"{later}: wait for {earlier} before writing contents")
    return faults


def _writers(workflow: Workflow) -> list[str]:
    """Return the jobs that may write to the repository, in their order."""
    writers = []
    for name, job in workflow.jobs.items():
        rights = _rights(job)
        if rights.get("contents") == WRITES:
            writers.append(name)
    return writers


def writers_take_nothing_from_a_cache(workflow: Workflow) -> Faults:
    """A job with a right to write takes nothing from a cache that others fill."""
    faults = []
    for name, step in workflow.steps():
        job = workflow.jobs[name]
        if _may_write(job) and _caches(step):
            action = step["uses"]
            faults.append(f"{name}: no cache beside a right to write: {action}")
    return faults


def _may_write(job: Job) -> bool:
    rights = job.get("permissions")
    if isinstance(rights, dict):
        return WRITES in rights.values()
    return rights != "read-all"


def _caches(step: Step) -> bool:
    used: str = step.get("uses", "")
    action, _, _ = used.partition("@")
    options = step.get("with", {})
    if action in CACHES_BY_DEFAULT:
        option = CACHES_BY_DEFAULT[action]
        chosen = options.get(option)
        return chosen is not False
    if action.startswith("actions/setup-"):
        cache = options.get("cache")
        return bool(cache)
    if action.startswith("actions/cache/"):
        return True
    return action == "actions/cache"


def signing_is_apart(workflow: Workflow) -> Faults:
    """Signing runs our scripts and GitHub's actions alone, never for a pull request.

    Other code beside it could sign anything in this workflow's name.
    """
    faults = []
    by_request = "pull_request" in workflow.content[ON]
    for name, job in workflow.jobs.items():
        if not _may_sign(job):
            continue
        for action in _foreign_actions(job):
            faults.append(f"{name}: no {action} beside the right to sign")
        if by_request and "publish" not in _needed(job):
            faults.append(f"{name}: sign only what was published")
    return faults


def _may_sign(job: Job) -> bool:
    rights = _rights(job)
    return rights.get("id-token") == WRITES


def _foreign_actions(job: Job) -> Iterator[str]:
    """Yield the actions of a job that are not to be trusted."""
    for step in job["steps"]:
        if "uses" not in step:
            continue
        action = step["uses"]
        if not TRUSTED.match(action):
            yield action


def a_pull_requests_code_writes_nothing(workflow: Workflow) -> Faults:
    """A job with a right to write runs the base's code for a pull request."""
    faults: Faults = []
    if "pull_request" not in workflow.content[ON]:
        return faults
    for name, job in workflow.jobs.items():
        if not _writes_code(name, job):
            continue
        for checkout in filter(_checks_out, job["steps"]):
            options = checkout["with"]
            if options.get("ref") != BASE:
                faults.append(f"{name}: check out the base before a right to write")
    return faults


def _writes_code(name: str, job: Job) -> bool:
    """Whether a job has a right to write, and does not wait for a publication."""
    rights = dict(_rights(job))
    rights.pop("security-events", None)
    needed = [name, *_needed(job)]
    if "publish" in needed:
        return False
    return WRITES in rights.values()


def _needed(job: Job) -> list[str]:
    """Return the jobs that a job waits for."""
    needed: list[str] = job.get("needs", [])
    return needed


def _rights(job: Job) -> Json:
    rights = job.get("permissions")
    return rights if isinstance(rights, dict) else {}
