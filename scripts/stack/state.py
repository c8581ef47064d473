"""The processes that run from this checkout, in files below `build/`.

The supervisor holds a lock while it runs, and the system releases the lock when the
program ends for any reason. The number of a process would not be enough: after a crash
another program may have it.
"""

import contextlib
import json
import os
import time
from collections.abc import Iterator

from core import file_lock
from scripts.stack.settings import ROOT, Settings, StackError

SUPERVISOR = "supervisor"
LOCK_SECONDS = 2
STARTING = "it is being started already: see --status."


class State:
    """The processes of one stack, and whether it has been asked to stop."""

    def __init__(self, settings: Settings) -> None:
        folder = ROOT / "build"
        name = f"stack-{settings.offset}"
        self._numbers = folder / f"{name}.json"
        self._lock = folder / f"{name}.lock"
        self._stop = folder / f"{name}.stop"

    def read(self) -> dict[str, int]:
        """Return the process numbers by name, or nothing if the supervisor has ended."""
        if not self.is_held():
            return {}
        with contextlib.suppress(OSError, ValueError):
            text = self._numbers.read_text("utf-8")
            numbers: dict[str, int] = json.loads(text)
            return numbers
        return {}

    def is_held(self) -> bool:
        """Return whether a supervisor runs."""
        if not self._lock.is_file():
            return False
        with self._lock.open("r+b") as stream:
            return not file_lock.take(stream)

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Be the supervisor during the block.

        Raises:
            StackError: there is one already.
        """
        self._lock.parent.mkdir(exist_ok=True)
        with self._lock.open("a+b") as stream:
            # A program that only reads the state holds the lock for a moment.
            deadline = time.monotonic() + LOCK_SECONDS
            while not file_lock.take(stream):
                if time.monotonic() > deadline:
                    raise StackError(STARTING)
                time.sleep(0.1)
            self._stop.unlink(missing_ok=True)
            self.write({})
            try:
                yield
            finally:
                self._numbers.unlink(missing_ok=True)
                self._stop.unlink(missing_ok=True)

    def write(self, numbers: dict[str, int]) -> None:
        """Write the services' process numbers, and this program's as the supervisor's."""
        content = {SUPERVISOR: os.getpid(), **numbers}
        self._numbers.write_text(json.dumps(content), "utf-8")

    def ask_to_stop(self) -> None:
        """Ask the supervisor to end, on systems where no signal can."""
        self._stop.touch()

    def is_asked_to_stop(self) -> bool:
        """Return whether the supervisor has been asked to end."""
        return self._stop.exists()
