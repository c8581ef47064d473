"""The rules that every workflow keeps: each is a function that names a workflow's
faults.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

USES = re.compile(r"^\s*(?:- )?uses:\s*(\S+)[ \t]*(.*)$", re.MULTILINE)
PINNED = re.compile(r"[\w.-]+(/[\w.-]+)+@[0-9a-f]{40}")
VERSION = re.compile(r"# v\d+\.\d+\.\d+")
# One of our programs with its arguments, or GitHub's own to start a workflow, and
# nothing that makes a second command of the line.
COMMAND = re.compile(
    r"(bash scripts/|\./scripts/|\.\\scripts\\|python3 -m scripts\.|gh workflow run )"
    r"[\w./\\-]+( [^;&|<>`]*)?"
)
SKIPS = re.compile(
    r"\[(skip ci|ci skip|no ci|skip actions|actions skip)\]|skip-checks:", re.I
)
WRITES = "write"
# GitHub's own actions, and the one that logs in to the registry.
TRUSTED = re.compile(r"actions/|docker/login-action@")


@dataclass(frozen=True)
class Workflow:
    """A workflow's file: its text, and what YAML makes of it (the key `on` is True
    there).
    """

    name: str
    text: str
    content: dict[Any, Any]

    @classmethod
    def read(cls, path: Path) -> "Workflow":
        """Read a file."""
        text = path.read_text(encoding="utf-8")
        return cls(path.name, text, yaml.safe_load(text))

    @property
    def jobs(self) -> dict[str, dict[str, Any]]:
        """The jobs by name."""
        jobs: dict[str, dict[str, Any]] = self.content["jobs"]
        return jobs

    def steps(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Go through the steps, each with the name of its job."""
        for name, job in self.jobs.items():
            for step in job.get("steps", []):
                yield name, step


def actions_are_pinned(workflow: Workflow) -> list[str]:
    """An action is a full commit with its version beside it: a tag can be moved."""
    used = [job["uses"] for job in workflow.jobs.values() if "uses" in job]
    used += [step["uses"] for _, step in workflow.steps() if "uses" in step]
    comments: dict[str, list[str]] = {}
    for action, comment in USES.findall(workflow.text):
        comments.setdefault(action, []).append(comment)
    return [
        f"{action}: name a full commit, and its version behind it as # vX.Y.Z"
        for action in dict.fromkeys(used)
        if not action.startswith("./")
        and not (
            PINNED.fullmatch(action)
            and comments.get(action)
            and all(VERSION.fullmatch(comment) for comment in comments[action])
        )
    ]


def jobs_end(workflow: Workflow) -> list[str]:
    """A job that hangs ends after minutes, not after GitHub's six hours."""
    jobs = workflow.jobs.items()
    return [
        f"{name}: set timeout-minutes"
        for name, job in jobs
        if "timeout-minutes" not in job
    ]


def rights_are_the_jobs_own(workflow: Workflow) -> list[str]:
    """Nobody has a right by default: a job states its own, one by one."""
    found = []
    if workflow.content.get("permissions") != {}:
        found.append("at the top: set permissions: {}")
    for name, job in workflow.jobs.items():
        if not isinstance(job.get("permissions"), dict):
            found.append(f"{name}: state the job's own permissions")
    return found


def commands_are_ours(workflow: Workflow) -> list[str]:
    """A step calls one of our scripts alone, or starts another workflow by `gh`."""
    found = []
    for job, step in workflow.steps():
        for line in step.get("run", "").replace("\\\n", " ").splitlines():
            if "$(" in line or not COMMAND.fullmatch(line.strip()):
                found.append(f"{job}: put into a script: {line.strip()}")
    return found


def commands_hold_no_expression(workflow: Workflow) -> list[str]:
    """What somebody writes into a title or a branch's name must not become a command."""
    return [
        f"{job}: pass by env: {step['run'].strip()}"
        for job, step in workflow.steps()
        if "${{" in step.get("run", "")
    ]


def checkouts_keep_no_token(workflow: Workflow) -> list[str]:
    """The token is there for the step that pushes, and lies on no disk."""
    return [
        f"{job}: check out with persist-credentials: false"
        for job, step in workflow.steps()
        if step.get("uses", "").startswith("actions/checkout@")
        and step.get("with", {}).get("persist-credentials") is not False
    ]


def one_job_writes(workflow: Workflow) -> list[str]:
    """One job at most may write to the repository."""
    writers = [
        name
        for name, job in workflow.jobs.items()
        if isinstance(job.get("permissions"), dict)
        and job["permissions"].get("contents") == WRITES
    ]
    return (
        [f"{', '.join(writers)}: let one job write contents"]
        if len(writers) > 1
        else []
    )


def nothing_is_skipped(workflow: Workflow) -> list[str]:
    """A failure is one, and a commit is checked whatever its message says."""
    found = []
    for key, value in _entries(workflow.content):
        if key == "continue-on-error":
            found.append("let a failure fail: no continue-on-error")
        if isinstance(value, str) and SKIPS.search(value):
            found.append(f"required checks would wait for ever: {value.strip()}")
    return found


def _entries(value: Any) -> Iterator[tuple[Any, Any]]:
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    for key, item in pairs:
        yield key, item
        if isinstance(item, dict | list):
            yield from _entries(item)


def writers_take_nothing_from_a_cache(workflow: Workflow) -> list[str]:
    """A job with a right to write takes nothing from a cache that others fill."""
    return [
        f"{job}: no cache beside a right to write: {step['uses']}"
        for job, step in workflow.steps()
        if _may_write(workflow.jobs[job]) and _caches(step)
    ]


def _may_write(job: dict[str, Any]) -> bool:
    rights = job.get("permissions")
    return (
        WRITES in rights.values() if isinstance(rights, dict) else rights != "read-all"
    )


def _caches(step: dict[str, Any]) -> bool:
    action, given = str(step.get("uses", "")).partition("@")[0], step.get("with", {})
    if action == "astral-sh/setup-uv":  # it caches unless it is told not to
        return given.get("enable-cache") is not False
    if action.startswith("actions/setup-"):
        return bool(given.get("cache"))
    if (
        action == "docker/setup-buildx-action"
    ):  # its own program, unless it is told not to
        return given.get("cache-binary") is not False
    if action == "aquasecurity/trivy-action":  # its program and its data base
        return given.get("cache") is not False
    return action == "actions/cache" or action.startswith("actions/cache/")


def signing_is_apart(workflow: Workflow) -> list[str]:
    """Signing runs our scripts and GitHub's actions alone, never for a pull request.

    Whoever can run code beside it can sign anything in this workflow's name.
    """
    found = []
    for name, job in workflow.jobs.items():
        if _rights(job).get("id-token") != WRITES:
            continue
        foreign = [
            step["uses"]
            for step in job["steps"]
            if not TRUSTED.match(step.get("uses", "actions/"))
        ]
        found += [f"{name}: no {action} beside the right to sign" for action in foreign]
        by_request = "pull_request" in workflow.content[True]
        if by_request and "publish" not in job.get("needs", []):
            found.append(f"{name}: sign only what was published")
    return found


def a_pull_requests_code_writes_nothing(workflow: Workflow) -> list[str]:
    """A job with a right to write runs the base's code for a pull request."""
    if "pull_request" not in workflow.content[True]:
        return []
    return [
        f"{name}: check out the base before a right to write"
        for name, job in workflow.jobs.items()
        if WRITES
        in {right for key, right in _rights(job).items() if key != "security-events"}
        and "publish" not in [name, *job.get("needs", [])]
        for step in job["steps"]
        if step.get("uses", "").startswith("actions/checkout@")
        and step["with"].get("ref") != "${{ github.event.pull_request.base.sha }}"
    ]


def _rights(job: dict[str, Any]) -> dict[str, Any]:
    rights = job.get("permissions")
    return rights if isinstance(rights, dict) else {}


RULES: list[Callable[[Workflow], list[str]]] = [
    actions_are_pinned,
    jobs_end,
    rights_are_the_jobs_own,
    commands_are_ours,
    commands_hold_no_expression,
    checkouts_keep_no_token,
    one_job_writes,
    nothing_is_skipped,
    writers_take_nothing_from_a_cache,
    signing_is_apart,
    a_pull_requests_code_writes_nothing,
]
