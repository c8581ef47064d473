"""The profile `mlflow-auth`: MLflow behind a proxy that asks for a password."""

import urllib.error

from scripts.loopback import open_url
from scripts.stack.seen import Seen
from scripts.stack.settings import MLFLOW_PROXY, Settings, StackError

SECONDS = 30
UNAUTHORIZED = 401


def look(settings: Settings) -> list[Seen]:
    """Check that nobody gets in without a password.

    Raises:
        StackError: the proxy answers a request without a password.
    """
    address = settings.url(MLFLOW_PROXY)
    try:
        open_url(address, SECONDS).close()
    except urllib.error.HTTPError as error:
        if error.code == UNAUTHORIZED:
            what = "asks for a name and a password"
            return [Seen("MLflow", address, what)]
        raise
    raise StackError(f"{MLFLOW_PROXY} at {address} asks for no password: see its log.")
