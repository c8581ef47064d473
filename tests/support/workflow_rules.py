"""The rules that every workflow keeps: each is a function that returns its faults."""

import re
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

from tests.support.workflow_files import ON, Job, Step, Workflow

USES = re.compile(r"^\s*(?:- )?uses:\s*(\S+)[ \t]*(.*)$", re.MULTILINE)
PINNED = re.compile(r"[\w.-]+(/[\w.-]+)+@[0-9a-f]{40}")
VERSION = re.compile(r"# v\d+\.\d+\.\d+")
# One of our programs with its arguments, or GitHub's own to start a workflow, and
# nothing that makes the line a second command.
COMMAND = re.compile(
    r"(bash scripts/|\./scripts/|\.\\scripts\\|python3 -m scripts\.|gh workflow run )"
    r"[\w./\\-]+( [^;&|<>`]*)?"
)
SKIPS = re.compile(
    r"\[(skip ci|ci skip|no ci|skip actions|actions skip)\]|skip-checks:", re.I
)
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


def actions_are_pinned(workflow: Workflow) -> list[str]:
    """An action is a full commit with its version beside it: a tag can be moved."""
    used = [job["uses"] for job in workflow.jobs.values() if "uses" in job]
    used += [step["uses"] for _, step in workflow.steps() if "uses" in step]
    comments: dict[str, list[str]] = {}
    for action, comment in USES.findall(workflow.text):
        comments.setdefault(action, []).append(comment)
    faults = []
    for action in dict.fromkeys(used):
        if action.startswith("./") or _is_pinned(action, comments.get(action)):
            continue
        faults.append(f"{action}: name a full commit, and its version as # vX.Y.Z")
    return faults


def _is_pinned(action: str, comments: list[str] | None) -> bool:
    if not comments or not PINNED.fullmatch(action):
        return False
    return all(VERSION.fullmatch(comment) for comment in comments)


def jobs_end(workflow: Workflow) -> list[str]:
    """A job that hangs ends after minutes, not after GitHub's six hours."""
    faults = []
    for name, job in workflow.jobs.items():
        if "timeout-minutes" not in job:
            faults.append(f"{name}: set timeout-minutes")
    return faults


def rights_are_the_jobs_own(workflow: Workflow) -> list[str]:
    """Nobody has a right by default: a job states its own, one by one."""
    faults = []
    if workflow.content.get("permissions") != {}:
        faults.append("at the top: set permissions: {}")
    for name, job in workflow.jobs.items():
        if not isinstance(job.get("permissions"), dict):
            faults.append(f"{name}: state the job's own permissions")
    return faults


def commands_are_ours(workflow: Workflow) -> list[str]:
    """A step calls one of our scripts alone, or starts another workflow by `gh`."""
    faults = []
    for job, step in workflow.steps():
        script = step.get("run", "").replace("\\\n", " ")
        for line in script.splitlines():
            command = line.strip()
            if "$(" in command or not COMMAND.fullmatch(command):
                faults.append(f"{job}: put into a script: {command}")
    return faults


def commands_hold_no_expression(workflow: Workflow) -> list[str]:
    """The text of a title or a branch's name must not become a command."""
    faults = []
    for job, step in workflow.steps():
        script = step.get("run", "")
        if "${{" in script:
            faults.append(f"{job}: pass by env: {script.strip()}")
    return faults


def _checks_out(step: Step) -> bool:
    action: str = step.get("uses", "")
    return action.startswith("actions/checkout@")


def checkouts_keep_no_token(workflow: Workflow) -> list[str]:
    """The token is for the step that pushes alone, and is never on a disk."""
    faults = []
    for job, step in workflow.steps():
        options = step.get("with", {})
        keeps_token = options.get("persist-credentials") is not False
        if _checks_out(step) and keeps_token:
            faults.append(f"{job}: check out with persist-credentials: false")
    return faults


def writers_wait_for_one_another(workflow: Workflow) -> list[str]:
    """Jobs that may write to the repository never do so at the same time."""
    writers = []
    for name, job in workflow.jobs.items():
        if _rights(job).get("contents") == WRITES:
            writers.append(name)
    faults = []
    for earlier, later in pairwise(writers):
        if earlier not in workflow.jobs[later].get("needs", []):
            faults.append(f"{later}: wait for {earlier} before writing contents")
    return faults


def nothing_is_skipped(workflow: Workflow) -> list[str]:
    """A failure is one, and a commit is checked whatever its message says."""
    faults = []
    for key, value in _entries(workflow.content):
        if key == "continue-on-error":
            faults.append("let a failure fail: no continue-on-error")
        if isinstance(value, str) and SKIPS.search(value):
            faults.append(f"required checks would wait for ever: {value.strip()}")
    return faults


def _entries(value: Any) -> Iterator[tuple[Any, Any]]:
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    for key, item in pairs:
        yield key, item
        if isinstance(item, dict | list):
            yield from _entries(item)


def writers_take_nothing_from_a_cache(workflow: Workflow) -> list[str]:
    """A job with a right to write takes nothing from a cache that others fill."""
    faults = []
    for job, step in workflow.steps():
        if _may_write(workflow.jobs[job]) and _caches(step):
            action = step["uses"]
            faults.append(f"{job}: no cache beside a right to write: {action}")
    return faults


def _may_write(job: Job) -> bool:
    rights = job.get("permissions")
    if isinstance(rights, dict):
        return WRITES in rights.values()
    return rights != "read-all"


def _caches(step: Step) -> bool:
    action = str(step.get("uses", "")).partition("@")[0]
    option = CACHES_BY_DEFAULT.get(action)
    options = step.get("with", {})
    if option:
        return options.get(option) is not False
    if action.startswith("actions/setup-"):
        return bool(options.get("cache"))
    return action == "actions/cache" or action.startswith("actions/cache/")


def signing_is_apart(workflow: Workflow) -> list[str]:
    """Signing runs our scripts and GitHub's actions alone, never for a pull request.

    Other code beside it could sign anything in this workflow's name.
    """
    faults = []
    by_request = "pull_request" in workflow.content[ON]
    for name, job in workflow.jobs.items():
        if _rights(job).get("id-token") != WRITES:
            continue
        for step in job["steps"]:
            action = step.get("uses", "actions/")
            if not TRUSTED.match(action):
                faults.append(f"{name}: no {action} beside the right to sign")
        if by_request and "publish" not in job.get("needs", []):
            faults.append(f"{name}: sign only what was published")
    return faults


def a_pull_requests_code_writes_nothing(workflow: Workflow) -> list[str]:
    """A job with a right to write runs the base's code for a pull request."""
    if "pull_request" not in workflow.content[ON]:
        return []
    faults = []
    for name, job in workflow.jobs.items():
        if not _writes_code(name, job):
            continue
        for step in job["steps"]:
            if _checks_out(step) and step["with"].get("ref") != BASE:
                faults.append(f"{name}: check out the base before a right to write")
    return faults


def _writes_code(name: str, job: Job) -> bool:
    """Whether a job has a right to write, and does not wait for a publication."""
    rights = dict(_rights(job))
    rights.pop("security-events", None)
    needed = [name, *job.get("needs", [])]
    return WRITES in rights.values() and "publish" not in needed


def _rights(job: Job) -> dict[str, Any]:
    rights = job.get("permissions")
    return rights if isinstance(rights, dict) else {}


RULES: list[Callable[[Workflow], list[str]]] = [
    actions_are_pinned,
    jobs_end,
    rights_are_the_jobs_own,
    commands_are_ours,
    commands_hold_no_expression,
    checkouts_keep_no_token,
    writers_wait_for_one_another,
    nothing_is_skipped,
    writers_take_nothing_from_a_cache,
    signing_is_apart,
    a_pull_requests_code_writes_nothing,
]
