"""GitHub's REST API for the programs of the workflows, with the standard library only.

The environment holds the server's address in GITHUB_API_URL, the token in GITHUB_TOKEN
and the repository's name in GITHUB_REPOSITORY.
"""

import http.client
import json
import os
import urllib.error
import urllib.request
from typing import Any
from urllib.parse import urlsplit

SECONDS = 30
LOOPBACK = {"127.0.0.1", "::1", "localhost"}


class ApiError(Exception):
    """GitHub refused or did not answer; `code` is its status, 0 without an answer."""

    def __init__(self, sentence: str, code: int = 0) -> None:
        super().__init__(sentence)
        self.code = code


class MissingVariable(Exception):
    """The workflow's step does not pass a variable; the exit status is 2."""


def needed(name: str) -> str:
    """Return a variable of the environment.

    Raises:
        MissingVariable: it is not set, or empty.
    """
    value = os.environ.get(name, "").strip()
    if not value:
        raise MissingVariable(f"{name} is not set: the workflow's step must pass it.")
    return value


def call(path: str, body: Any = None, method: str = "") -> Any:
    """Send a request to GitHub and return the JSON of its answer, None if it is empty.

    Args:
        path: a path of the repository, such as `/actions/workflows`, or without the
            first slash a path of the whole server.
        body: the content to send, as JSON; without it and without a method the request
            is a GET.

    Raises:
        MissingVariable: GITHUB_TOKEN or GITHUB_REPOSITORY is not set.
        ApiError: GitHub refuses or does not answer; its text never holds the token.
    """
    address = _address(path)
    token = needed("GITHUB_TOKEN")
    try:
        return _send(address, token, body, method)
    except urllib.error.HTTPError as error:
        text = error.read(300).decode(errors="replace")
        message = " ".join(text.split())
        sentence = f"{address}: GitHub answers {error.code}: {message}"
        raise ApiError(sentence, error.code) from None
    except urllib.error.URLError as error:
        sentence = f"{address}: no answer ({error.reason}); run it again."
        raise ApiError(sentence) from None
    except (OSError, ValueError, http.client.HTTPException) as error:
        # Without its text, which may quote a header.
        raise ApiError(f"{address}: no answer ({type(error).__name__}).") from None


def _send(address: str, token: str, body: Any, method: str) -> Any:
    headers = {
        "Authorization": f"Bearer {token}",
        "Accept": "application/vnd.github+json",
        "Content-Type": "application/json",
    }
    data = None
    if body is not None:
        data = json.dumps(body).encode()
    request = urllib.request.Request(address, data, headers, method=method or None)
    with _opener(address).open(request, timeout=SECONDS) as answer:
        content = answer.read()
    if not content:
        return None
    return json.loads(content)


def _address(path: str) -> str:
    """Return the address of a path of the repository, or of the whole server."""
    base = os.environ.get("GITHUB_API_URL") or "https://api.github.com"
    repository = needed("GITHUB_REPOSITORY")
    if path[:1] in ("", "/"):
        return f"{base}/repos/{repository}{path}"
    return f"{base}/{path}"


def _opener(address: str) -> urllib.request.OpenerDirector:
    """Return an opener for an address; a loopback address never needs a proxy."""
    parts = urlsplit(address)
    if parts.hostname in LOOPBACK:
        no_proxy = urllib.request.ProxyHandler({})
        return urllib.request.build_opener(no_proxy)
    return urllib.request.build_opener()
