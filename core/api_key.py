"""The key with which our programs send requests to an API whose proxy asks for keys."""

import os

from core.errors import UsageError

VARIABLE = "MLOPS_API_KEY"
HEADER = "X-API-Key"


def headers() -> dict[str, str]:
    """Return the header with the key of the environment; nothing if there is none.

    Raises:
        UsageError: a header cannot hold the key.
    """
    key = os.environ.get(VARIABLE, "").strip()
    if not key:
        return {}
    if not (key.isascii() and key.isprintable()):
        raise UsageError(
            f"{VARIABLE} is no key, which consists of ASCII characters in one line:"
            " set it to the key that the proxy knows, or remove it."
        )
    return {HEADER: key}
