"""The token with which Git reads a private repository over HTTPS.

Git gets it as a header for the repository's host, in variables of its own process: it is
in no file, in no list of processes, and in no message of Git.
"""

import base64
import os
from urllib.parse import urlsplit

from core.environment import is_ours
from core.errors import UsageError

VARIABLE = "MLOPS_RELEASES_TOKEN"
# GitHub's name for a user who has a token only. Other servers accept any name.
USER = "x-access-token"


def token() -> str:
    """Return the token of the environment; empty if there is none."""
    return os.environ.get(VARIABLE, "").strip()


def credentials(address: str) -> dict[str, str]:
    """Return the variables that let Git send the token to the host of an address.

    There are none without a token, for a folder, and for SSH, which has keys instead.

    Raises:
        UsageError: the token would be sent unencrypted.
    """
    secret = token()
    parts = urlsplit(address)
    if not secret or parts.scheme not in ("http", "https"):
        return {}
    if parts.scheme == "http" and not is_ours(address):
        raise UsageError(
            f"{VARIABLE} is sent by https:// only: set MLOPS_RELEASES to the https://"
            " address of the repository, or remove the token."
        )
    host = parts.netloc.rpartition("@")[2]
    login = base64.b64encode(f"{USER}:{secret}".encode()).decode()
    return {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"http.{parts.scheme}://{host}/.extraHeader",
        "GIT_CONFIG_VALUE_0": f"Authorization: Basic {login}",
    }
