"""The log's file: rotated, and written by one process alone."""

from collections.abc import Iterator
from itertools import count
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import IO

from app.settings import Settings
from core import file_lock


class LogFile(RotatingFileHandler):
    """A rotated file; beside replicas, or another stack on other ports, one with a
    number.

    Two processes that rotate the same file lose lines. So the first one holds a lock
    beside `api.log`, and the next one writes `api-2.log`.
    """

    def __init__(self, settings: Settings) -> None:
        path, self._lock = _claim(settings.log_file)
        size, backups = settings.log_file_bytes, settings.log_file_backups
        super().__init__(path, "a", size, backups, "utf-8")

    def close(self) -> None:
        """Close the file, for the next process to write."""
        super().close()
        if self._lock:
            self._lock.close()


def _claim(path: Path) -> tuple[Path, IO[bytes] | None]:
    """Return the first file that nobody writes, and the lock that keeps it.

    Raises:
        OSError: its folder can't be made or written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and not path.is_file():  # /dev/null, a pipe
        return path, None
    return next(
        (file, lock) for file in _numbered(path) if (lock := _locked(file)) is not None
    )


def _numbered(path: Path) -> Iterator[Path]:
    yield path
    for number in count(2):
        yield path.with_name(f"{path.stem}-{number}{path.suffix}")


def _locked(file: Path) -> IO[bytes] | None:
    """Return the lock of a file, or nothing if another process has it; closing lets go
    of it.
    """
    lock = file.with_name(f".{file.name}.lock").open("a+b")
    if file_lock.take(lock):
        return lock
    lock.close()
    return None
