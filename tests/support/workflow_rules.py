"""The rules that every workflow keeps: each is a function that returns its faults."""

import re
from collections.abc import Callable, Iterator
from typing import Any

from tests.support.workflow_files import Workflow
from tests.support.workflow_rights import (
    Faults,
    a_pull_requests_code_writes_nothing,
    checkouts_keep_no_token,
    rights_are_the_jobs_own,
    signing_is_apart,
    writers_take_nothing_from_a_cache,
    writers_wait_for_one_another,
)

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


def actions_are_pinned(workflow: Workflow) -> Faults:
    """An action is a full commit with its version beside it: a tag can be moved."""
    faults = []
    comments = _comments(workflow)
    for action in _used_actions(workflow):
        if action.startswith("./"):
            continue
        beside = comments.get(action, [])
        if not _is_pinned(action, beside):
            faults.append(f"{action}: name a full commit, and its version as # vX.Y.Z")
    return faults


def _used_actions(workflow: Workflow) -> list[str]:
    """Return what jobs and steps use, each once."""
    used = []
    for job in workflow.jobs.values():
        if "uses" in job:
            used.append(job["uses"])
    for _, step in workflow.steps():
        if "uses" in step:
            used.append(step["uses"])
    return list(dict.fromkeys(used))


def _comments(workflow: Workflow) -> dict[str, list[str]]:
    """Return what stands beside an action, wherever it is used."""
    comments: dict[str, list[str]] = {}
    for action, comment in USES.findall(workflow.text):
        beside = comments.setdefault(action, [])
        beside.append(comment)
    return comments


def _is_pinned(action: str, comments: list[str]) -> bool:
    if not comments:
        return False
    if not PINNED.fullmatch(action):
        return False
    return all(VERSION.fullmatch(comment) for comment in comments)


def jobs_end(workflow: Workflow) -> Faults:
    """A job that hangs ends after minutes, not after GitHub's six hours."""
    faults = []
    for name, job in workflow.jobs.items():
        if "timeout-minutes" not in job:
            faults.append(f"{name}: set timeout-minutes")
    return faults


def commands_are_ours(workflow: Workflow) -> Faults:
    """A step calls one of our scripts alone, or starts another workflow by `gh`."""
    faults = []
    for job, step in workflow.steps():
        script = step.get("run", "")
        joined = script.replace("\\\n", " ")
        for line in joined.splitlines():
            command = line.strip()
            if not _is_ours(command):
                faults.append(f"{job}: put into a script: {command}")
    return faults


def _is_ours(command: str) -> bool:
    if "$(" in command:
        return False
    return COMMAND.fullmatch(command) is not None


def commands_hold_no_expression(workflow: Workflow) -> Faults:
    """The text of a title or a branch's name must not become a command."""
    faults = []
    for job, step in workflow.steps():
        script = step.get("run", "")
        if "${{" in script:
            text = script.strip()
            faults.append(f"{job}: pass by env: {text}")
    return faults


def nothing_is_skipped(workflow: Workflow) -> Faults:
    """A failure is one, and a commit is checked whatever its message says."""
    faults = []
    for key, value in _entries(workflow.content):
        if key == "continue-on-error":
            faults.append("let a failure fail: no continue-on-error")
        if isinstance(value, str) and SKIPS.search(value):
            text = value.strip()
            faults.append(f"required checks would wait for ever: {text}")
    return faults


def _entries(value: Any) -> Iterator[tuple[Any, Any]]:
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    for key, item in pairs:
        yield key, item
        if isinstance(item, dict | list):
            yield from _entries(item)


RULES: list[Callable[[Workflow], Faults]] = [
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
