"""The lock on a file, on any system, for as long as it is open: the system lets go of
it.
"""

import os
from typing import IO


def take(stream: IO[bytes]) -> bool:
    """Take the lock on an open file, and tell whether nobody else had it."""
    if os.name == "nt":
        import msvcrt

        try:
            stream.seek(0)
            msvcrt.locking(stream.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
        except OSError:
            return False
        return True
    import fcntl

    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
