"""Starts the pipeline's workflow: `python3 -m scripts.ci.dispatch`.

From the environment: TASKS (with blanks between; empty for all), REASON, FRESH_DATA (`true` or
`false`, also without), GITHUB_REPOSITORY, GITHUB_TOKEN (may write actions) and GITHUB_API_URL. In a
workflow the page of the run says what was started, and why.
"""

import http.client
import json
import os
import sys
import urllib.error
import urllib.request

from scripts import console
from scripts.ci.outputs import summarize

WORKFLOW = "mlops.yml"
BRANCH = "main"
SECONDS = 30


class DispatchError(Exception):
    """One sentence; `status` is what the program ends with."""

    def __init__(self, sentence: str, status: int = 1) -> None:
        super().__init__(sentence)
        self.status = status


def main() -> int:
    """Start the workflow and say so, or say in one sentence why not."""
    try:
        repository, token = _needed("GITHUB_REPOSITORY"), _needed("GITHUB_TOKEN")
        tasks, reason = (os.environ.get(name, "") for name in ("TASKS", "REASON"))
        fresh = os.environ.get("FRESH_DATA") or "false"
        inputs = {"tasks": tasks, "reason": reason, "fresh_data": fresh}
        dispatch(repository, token, inputs)
    except DispatchError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.status
    told = f"{tasks or 'all tasks'}: {reason or 'no reason given'}"
    print(f"Started {WORKFLOW} on {BRANCH} for {told}")
    if os.environ.get("GITHUB_STEP_SUMMARY"):
        site = os.environ.get("GITHUB_SERVER_URL") or "https://github.com"
        page = f"{site}/{repository}/actions/workflows/{WORKFLOW}"
        summarize(f"Started [{WORKFLOW}]({page}) on {BRANCH} for {told}")
    return 0


def dispatch(repository: str, token: str, inputs: dict[str, str]) -> None:
    """Ask GitHub to run the workflow with these inputs.

    Raises:
        DispatchError: GitHub refuses or does not answer; the token is never in its words.
    """
    base = os.environ.get("GITHUB_API_URL") or "https://api.github.com"
    address = f"{base}/repos/{repository}/actions/workflows/{WORKFLOW}/dispatches"
    body = json.dumps({"ref": BRANCH, "inputs": inputs}).encode()
    headers = {
        "Authorization": f"Bearer {token}",
        "Accept": "application/vnd.github+json",
        "Content-Type": "application/json",
    }
    try:
        request = urllib.request.Request(address, body, headers)
        urllib.request.urlopen(request, timeout=SECONDS).close()
    except urllib.error.HTTPError as error:
        said = " ".join(error.read(300).decode(errors="replace").split())
        raise DispatchError(f"{address}: GitHub answers {error.code}: {said}") from None
    except urllib.error.URLError as error:
        raise DispatchError(f"{address}: no answer ({error.reason}); run it again.") from None
    except (OSError, ValueError, http.client.HTTPException) as error:
        # Without its words, which may quote a header.
        raise DispatchError(f"{address}: no answer ({type(error).__name__}).") from None


def _needed(name: str) -> str:
    value = os.environ.get(name, "").strip()
    if not value:
        raise DispatchError(f"{name} is not set: the workflow's step must pass it.", status=2)
    return value


if __name__ == "__main__":
    sys.exit(console.run(main))
