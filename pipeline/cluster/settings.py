"""The settings of a cluster: `MLOPS_CLUSTER` and `MLOPS_CLUSTER_TABLES`."""

import os
from pathlib import Path
from urllib.parse import urlsplit

from core.errors import UsageError
from history import bucket_address

VARIABLE = "MLOPS_CLUSTER"
TABLES_VARIABLE = "MLOPS_CLUSTER_TABLES"
SCHEMES = ("tcp", "tls")
# The end of a message about a cluster that differs from the training.
REMEDY = (
    "start the scheduler and all workers from the pipeline image of this commit,"
    " see docs/cluster.md."
)


def address() -> str:
    """Return the address of the scheduler; empty if there is no cluster.

    Raises:
        UsageError: the variable holds something else.
    """
    value = os.environ.get(VARIABLE, "").strip()
    if value:
        require_address(value, VARIABLE)
    return value


def tables() -> str:
    """Return the store of tables; empty if rows are sent to the workers.

    Raises:
        UsageError: the variable holds neither an absolute path nor an address.
    """
    value = os.environ.get(TABLES_VARIABLE, "").strip()
    if not value:
        return ""
    is_store = Path(value).is_absolute()
    if is_bucket(value):
        is_store = bucket_address.ADDRESS.fullmatch(value) is not None
    if not is_store:
        raise UsageError(
            f"{TABLES_VARIABLE}: {value!r} is no place for tables: write the absolute"
            f" path of a folder that all machines share, or {bucket_address.EXAMPLE}."
        )
    return value.rstrip("/")


def is_bucket(store: str) -> bool:
    """Return whether a store of tables is a bucket, and not a folder."""
    return store.startswith("s3:")


def require_address(value: str, name: str) -> None:
    """Check an address of a scheduler.

    Args:
        value: the address.
        name: what gave it, for the message.

    Raises:
        UsageError: it is none.
    """
    if not _is_address(value):
        raise UsageError(
            f"{name}: {value!r} is not the address of a Dask scheduler: write"
            " tcp://HOST:PORT, such as tcp://127.0.0.1:8786."
        )


def _is_address(value: str) -> bool:
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError:  # not a number, or too large
        return False
    if parts.scheme not in SCHEMES or not parts.hostname or not port:
        return False
    # Nothing but host and port: no user, no path.
    host = parts.netloc.rpartition(":")[0]
    is_plain = host.strip("[]").lower() == parts.hostname
    return is_plain and value == f"{parts.scheme}://{parts.netloc}"
