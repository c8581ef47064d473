"""Waiting for other processes: as long as a machine that is busy with other tests takes."""

import time
from collections.abc import Callable

# Only a bound: pytest itself ends a test that hangs, after twice as long.
PATIENCE_SECONDS = 300


def wait_until(
    condition: Callable[[], object],
    seconds: float = PATIENCE_SECONDS,
    pause: float = 0.05,
) -> None:
    """Check a condition again and again until it holds.

    Raises:
        TimeoutError: it did not hold in time.
    """
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"the condition did not hold within {seconds} s")
        time.sleep(pause)
