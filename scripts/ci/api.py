"""GitHub's REST API for the programs that the workflows call: standard library only.

GITHUB_API_URL names the server, GITHUB_TOKEN opens it, GITHUB_REPOSITORY says whose it
is about.
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
    """One sentence; `code` is GitHub's status, 0 if there was no answer."""

    def __init__(self, sentence: str, code: int = 0) -> None:
        super().__init__(sentence)
        self.code = code


class MissingVariable(Exception):
    """A variable that the workflow's step must pass is not set; exit status 2."""


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
    """Ask GitHub and return the JSON of its answer, None if that is empty.

    Args:
        path: what comes after the repository's name, such as `/actions/workflows`, or a
            path of the whole server if it does not begin with a slash.
        body: what to send, as JSON; without it and without a method the request is a
            GET.

    Raises:
        MissingVariable: GITHUB_TOKEN or GITHUB_REPOSITORY is not set.
        ApiError: GitHub refuses or does not answer; the token is never in its words.
    """
    repository, token = needed("GITHUB_REPOSITORY"), needed("GITHUB_TOKEN")
    base = os.environ.get("GITHUB_API_URL") or "https://api.github.com"
    address = (
        f"{base}/repos/{repository}{path}"
        if path[:1] in ("", "/")
        else f"{base}/{path}"
    )
    headers = {
        "Authorization": f"Bearer {token}",
        "Accept": "application/vnd.github+json",
        "Content-Type": "application/json",
    }
    data = None if body is None else json.dumps(body).encode()
    try:
        request = urllib.request.Request(address, data, headers, method=method or None)
        # A loopback address never goes through a proxy.
        local = urlsplit(address).hostname in LOOPBACK
        proxies = [urllib.request.ProxyHandler({})] if local else []
        with urllib.request.build_opener(*proxies).open(
            request, timeout=SECONDS
        ) as answer:
            content = answer.read()
        return json.loads(content) if content else None
    except urllib.error.HTTPError as error:
        said = " ".join(error.read(300).decode(errors="replace").split())
        sentence = f"{address}: GitHub answers {error.code}: {said}"
        raise ApiError(sentence, error.code) from None
    except urllib.error.URLError as error:
        raise ApiError(
            f"{address}: no answer ({error.reason}); run it again."
        ) from None
    except (OSError, ValueError, http.client.HTTPException) as error:
        # Without its words, which may quote a header.
        raise ApiError(f"{address}: no answer ({type(error).__name__}).") from None
