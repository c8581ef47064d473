"""GitHub's REST API, for the worker and the reconciler."""

import os
import re
from typing import Any

import requests

from core.errors import PipelineError

TIMEOUT_SECONDS = 30
# A repository: https://github.com/owner/name.git, git@github.com:owner/name
ADDRESS = re.compile(
    r"(?:https://|ssh://)?(?:[^@/]+@)?github\.com[/:]"
    r"(?P<repository>[\w.-]+/[\w.-]+?)(?:\.git)?/?"
)


def ask(
    token: str,
    repository: str,
    path: str,
    body: dict[str, Any] | None = None,
) -> Any:
    """Send a request to GitHub's API and return the JSON of its answer.

    Args:
        token: the token.
        repository: the repository, `owner/name`.
        path: the path below the repository's own.
        body: what to send by POST; without it the request is a GET.

    Raises:
        PipelineError: GitHub cannot be reached, or answers with an error or without
            JSON.
    """
    base = os.environ.get("GITHUB_API_URL") or "https://api.github.com"
    address = f"{base}/repos/{repository}{path}"
    headers = {
        "Authorization": f"Bearer {token}",
        "Accept": "application/vnd.github+json",
    }
    method = "GET" if body is None else "POST"
    try:
        answer = requests.request(
            method,
            address,
            json=body,
            headers=headers,
            timeout=TIMEOUT_SECONDS,
        )
    except requests.RequestException as error:
        # Without its message, which may quote a header.
        kind = type(error).__name__
        raise PipelineError(f"{address}: no answer ({kind}).") from None
    return _content(address, answer)


def _content(address: str, answer: requests.Response) -> Any:
    if not answer.ok:
        status = answer.status_code
        message = answer.text[:300]
        raise PipelineError(f"{address}: GitHub answers {status}: {message}")
    if not answer.content:
        return None
    try:
        return answer.json()
    except requests.JSONDecodeError as error:
        raise PipelineError(f"{address}: the answer is no JSON.") from error
