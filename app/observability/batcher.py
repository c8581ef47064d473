"""A bounded queue that a thread empties in batches; adding never waits for a disk."""

import threading
import traceback
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Batcher(Generic[Item]):
    """Passes everything that was added in the last seconds to `write`, in order.

    A batch for which `write` raises is lost; those that follow are not.

    Args:
        write: Called in the thread with the items of one batch.
        limit: The most that the waiting items may weigh together.
        seconds: How long a batch is collected.

    Attributes:
        weight: How much the waiting items weigh.
    """

    def __init__(
        self, write: Callable[[list[Item]], None], limit: int, seconds: float
    ) -> None:
        self._write = write
        self._limit = limit
        self._seconds = seconds
        self._items: deque[tuple[Item, int]] = deque()
        self.weight = 0
        self._ended = threading.Event()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def add(self, item: Item, weight: int = 1) -> bool:
        """Take an item, or return False if it would exceed the limit."""
        with self._lock:
            if self.weight + weight > self._limit:
                return False
            self.weight += weight
        self._items.append((item, weight))
        return True

    def close(self) -> None:
        """Write what is left and stop."""
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ended.wait(self._seconds):
            self._flush()
        self._flush()

    def _flush(self) -> None:
        waiting = len(self._items)
        batch = [self._items.popleft() for _ in range(waiting)]
        if not batch:
            return
        try:
            self._write([item for item, _ in batch])
        except Exception:
            traceback.print_exc()
        with self._lock:
            self.weight -= sum(weight for _, weight in batch)
