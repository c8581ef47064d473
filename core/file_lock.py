"""A lock on an open file, on any system; closing the file releases it."""

import os
from typing import IO


def take(stream: IO[bytes]) -> bool:
    """Take the lock on an open file; return False if somebody else has it."""
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
