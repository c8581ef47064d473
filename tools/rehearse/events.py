"""GitHub's events, reduced to what the workflow reads of them."""

from pathlib import Path
from typing import Any

from core.git import git
from tools.rehearse.act import REPOSITORY


def describe(clone: Path, private: bool = False) -> dict[str, Any]:
    """Return an event's repository; its default branch is origin's HEAD."""
    address = git(clone, "remote", "get-url", "origin")
    branch = git(Path(address), "symbolic-ref", "--short", "HEAD")
    return {
        "full_name": REPOSITORY,
        "default_branch": branch,
        "private": private,
    }


def push(
    clone: Path, branch: str = "", before: str = "", private: bool = False
) -> dict[str, Any]:
    """Return the event of a push of a clone's HEAD.

    Args:
        branch: the branch that is pushed to; by default the repository's default one.
        before: the commit that the branch was at; by default the parent of HEAD.
    """
    repository = describe(clone, private)
    return {
        "ref": _ref(repository, branch),
        "before": before or git(clone, "rev-parse", "HEAD~1"),
        "after": git(clone, "rev-parse", "HEAD"),
        "repository": repository,
    }


def pull_request(clone: Path, number: int, head: str = REPOSITORY) -> dict[str, Any]:
    """Return the event of a pull request from a repository, which may be a fork."""
    repository = describe(clone)
    base = git(clone, "rev-parse", "HEAD~1")
    request = {
        "number": number,
        "head": {
            "ref": "change",
            "repo": {"full_name": head, "fork": head != REPOSITORY},
        },
        "base": {
            "ref": repository["default_branch"],
            "sha": base,
            "repo": {"full_name": REPOSITORY},
        },
    }
    return {
        "number": number,
        "pull_request": request,
        "repository": repository,
    }


def dispatch(clone: Path, branch: str = "", **inputs: str) -> dict[str, Any]:
    """Return the event of a dispatch on a branch, the default one if none is named."""
    repository = describe(clone)
    return {
        "ref": _ref(repository, branch),
        "inputs": inputs,
        "repository": repository,
    }


def _ref(repository: dict[str, Any], branch: str) -> str:
    """Return the ref of a branch, or of the default one if none is named."""
    name = branch or repository["default_branch"]
    return f"refs/heads/{name}"
