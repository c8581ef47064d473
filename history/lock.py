"""The lock of a history: one process at a time writes into it."""

from pathlib import Path

from filelock import FileLock

from history import layout


def write_lock(mlruns: Path) -> FileLock:
    """Return the lock that a caller holds while it adds or deletes runs or promotions.

    The thread that holds it may take it again, for example to add a run while it
    imports others.
    """
    local = mlruns / layout.LOCAL
    local.mkdir(parents=True, exist_ok=True)
    return FileLock(local / "write.lock", is_singleton=True)
