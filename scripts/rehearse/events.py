"""What GitHub says when something was pushed, reduced to what the workflow reads of it."""

from pathlib import Path
from typing import Any

from pipeline.git import git
from scripts.rehearse.act import REPOSITORY

ABOUT = {"full_name": REPOSITORY, "default_branch": "main"}


def push(clone: Path, branch: str = "main") -> dict[str, Any]:
    """Return the event of a push of a clone's HEAD."""
    email, message = git(clone, "log", "-1", "--format=%ae%n%B").split("\n", 1)
    head = {"author": {"email": email}, "message": message}
    return {"ref": f"refs/heads/{branch}", "head_commit": head, "repository": ABOUT}


def pull_request(number: int, head: str = REPOSITORY) -> dict[str, Any]:
    """Return the event of a pull request from a repository, a fork perhaps."""
    request = {
        "number": number,
        "head": {"ref": "change", "repo": {"full_name": head, "fork": head != REPOSITORY}},
        "base": {"ref": "main", "repo": {"full_name": REPOSITORY}},
    }
    return {"number": number, "pull_request": request, "repository": ABOUT}


def dispatch(**inputs: str) -> dict[str, Any]:
    """Return the event of a dispatch on main."""
    return {"ref": "refs/heads/main", "inputs": inputs, "repository": ABOUT}
