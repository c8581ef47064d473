"""Logs as JSON lines: on stdout, and in a file that is rotated."""

import contextlib
import logging
import sys
from typing import Any

import orjson

from app.observability.batcher import Batcher
from app.observability.log_file import LogFile
from app.settings import Settings
from core import tracing

SECONDS = 0.2
LIMIT = 100_000
# What is in every record, and uvicorn's second rendering of its messages.
_PLAIN = {*logging.makeLogRecord({}).__dict__, "color_message"}


class JsonHandler(logging.Handler):
    """Hands records to a thread that renders and writes them, so that no request waits
    for it.
    """

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self._file = LogFile(settings)
        self._requests = settings.log_level in ("DEBUG", "INFO")
        # What there is no room for, if the disk cannot keep up, is dropped and not
        # waited for.
        self._batches: Batcher[dict[str, Any]] = Batcher(self._write, LIMIT, SECONDS)

    def emit(self, record: logging.LogRecord) -> None:
        """Take a record of the logging module."""
        self._batches.add(_content(record))

    def request(self, content: dict[str, Any]) -> None:
        """Take the content of the line of one request."""
        if self._requests:
            self._batches.add(content)

    def close(self) -> None:
        """Write what is left and close the file."""
        self._batches.close()
        with contextlib.suppress(OSError):  # what a full disk did not take
            self._file.close()
        super().close()

    def _write(self, lines: list[dict[str, Any]]) -> None:
        option = orjson.OPT_APPEND_NEWLINE
        text = b"".join(
            orjson.dumps(line, default=str, option=option) for line in lines
        ).decode()
        try:
            file = self._file.stream = self._file.stream or self._file._open()
            file.write(text)
            file.flush()
            if file.tell() > self._file.maxBytes:
                self._file.doRollover()
        except OSError as error:  # a full disk must not end the log on stdout
            text += f'{{"level": "ERROR", "message": "log file: {error.strerror}"}}\n'
        # Nor must a reader of stdout that has gone end the log in the file.
        with contextlib.suppress(OSError):
            sys.stdout.write(text)
            sys.stdout.flush()


def _content(record: logging.LogRecord) -> dict[str, Any]:
    content = {"time": record.created, "level": record.levelname, "logger": record.name}
    content |= {"message": record.getMessage()} | (tracing.ids() or {})
    content |= {
        key: value for key, value in record.__dict__.items() if key not in _PLAIN
    }
    if record.exc_info:
        content["exception"] = logging.Formatter().formatException(record.exc_info)
    return content


def configure(settings: Settings) -> JsonHandler:
    """Send everything that is logged to a new handler and return it; close it at the
    end.
    """
    handler = JsonHandler(settings)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings.log_level)
    # These would repeat, in words of their own, what the gateway logs of every request.
    for name in ("httpx", "httpcore", "uvicorn.access"):
        logging.getLogger(name).setLevel(logging.WARNING)
    return handler
