"""The log file: rotated, and written by one process alone."""

import contextlib
import logging
import sys
from collections.abc import Iterator
from itertools import count
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import IO

import orjson

from app.settings import Settings
from core import file_lock


class LogFile(RotatingFileHandler):
    """A rotated file; other processes write files with a number.

    Two processes that rotate the same file lose lines. So the first process holds a
    lock beside `api.log`, and the next one writes `api-2.log`: a second replica, or
    another stack on other ports.
    """

    def __init__(self, settings: Settings) -> None:
        path, self._lock = _claim(settings.log_file)
        size = settings.log_file_bytes
        super().__init__(path, "a", size, settings.log_file_backups, "utf-8")

    def handleError(self, record: logging.LogRecord) -> None:
        """Report on stdout what keeps the file from being written, such as a full disk."""
        _report(sys.exception())

    def doRollover(self) -> None:
        """Rotate the files; one that can't be renamed now is written on.

        Windows refuses to rename a file that another program has open.
        """
        try:
            super().doRollover()
        except OSError as error:
            _report(error)

    def close(self) -> None:
        """Close the file, so that the next process can write it."""
        super().close()
        if self._lock:
            self._lock.close()


def _report(reason: BaseException | None) -> None:
    """Report on stdout; if that is full or closed as well, the log goes on."""
    text = getattr(reason, "strerror", None) or repr(reason)
    line = {"level": "ERROR", "message": f"log file: {text}"}
    with contextlib.suppress(OSError, ValueError):
        print(orjson.dumps(line).decode(), flush=True)


def _claim(path: Path) -> tuple[Path, IO[bytes] | None]:
    """Return the first file that no process writes, and the lock that keeps it.

    Raises:
        OSError: its folder can't be created or written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and not path.is_file():  # /dev/null, a pipe
        return path, None
    for file in _numbered(path):
        lock = _try_lock(file)
        if lock is not None:
            return file, lock
    raise AssertionError("there is always a next number")


def _numbered(path: Path) -> Iterator[Path]:
    """Yield api.log, api-2.log, api-3.log and so on."""
    yield path
    for number in count(2):
        yield path.with_name(f"{path.stem}-{number}{path.suffix}")


def _try_lock(file: Path) -> IO[bytes] | None:
    """Return the lock of a file, or None if another process holds it."""
    lock = file.with_name(f".{file.name}.lock").open("a+b")
    if file_lock.take(lock):
        return lock
    lock.close()
    return None
