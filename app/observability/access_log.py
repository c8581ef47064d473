"""Logs as JSON lines, written to stdout and to a file by a thread of their own.

`QueueHandler` formats a record where it is logged and puts it into a queue;
`QueueListener` writes what is in the queue. No request waits for a disk.
"""

import contextlib
import json
import logging
import sys
import time
from logging.handlers import QueueHandler, QueueListener
from queue import SimpleQueue
from typing import Any

import orjson
from pythonjsonlogger.core import RESERVED_ATTRS, BaseJsonFormatter

from app.observability.log_file import LogFile
from app.settings import Settings
from core import tracing

FIELDS = ["created", "levelname", "name", "message"]
NAMES = {
    "created": "time",
    "levelname": "level",
    "name": "logger",
}
# How long the listener collects lines before it writes them.
SECONDS = 0.2
# Lines that may wait; if the disk can't keep up, more are dropped.
LIMIT = 100_000
# uvicorn adds its messages a second time, with colors.
RESERVED = [*RESERVED_ATTRS, "color_message"]
# These would repeat what the middleware logs of every request.
QUIET = ("httpx", "httpcore", "uvicorn.access")

# A formatted record, the fields of a request's line, or the end.
Item = logging.LogRecord | dict[str, Any] | None


def render(fields: dict[str, Any]) -> str:
    """Return a line of JSON; values that JSON doesn't know become strings."""
    try:
        return orjson.dumps(fields, default=str).decode()
    except orjson.JSONEncodeError:  # such as a text that is not valid Unicode
        return json.dumps(fields, default=str)


class JsonFormatter(BaseJsonFormatter):
    """The fields of a record, those in `extra`, and the IDs of the current trace."""

    def __init__(self) -> None:
        names = NAMES | {"exc_info": "exception"}
        super().__init__(FIELDS, rename_fields=names, reserved_attrs=RESERVED)

    def process_log_record(self, log_data: dict[str, Any]) -> dict[str, Any]:
        """Add the IDs of the trace, where there is one."""
        return log_data | (tracing.ids() or {})

    def jsonify_log_record(self, log_data: dict[str, Any]) -> str:
        """Return the fields as a line."""
        return render(log_data)


class BoundedHandler(QueueHandler):
    """A queue handler that drops records rather than fill the memory."""

    queue: "SimpleQueue[Item]"

    def enqueue(self, record: Any) -> None:
        """Put a record, or the fields of a line, into the queue if there is room."""
        if self.queue.qsize() < LIMIT:
            self.queue.put(record)


class BatchListener(QueueListener):
    """Hands on what was logged within `SECONDS` as one record.

    A wake-up and a write for each line would take time from the requests.
    """

    queue: "SimpleQueue[Item]"

    def dequeue(self, block: bool) -> Any:
        """Wait for a line, collect those that follow and return them as one record."""
        first = self.queue.get(block)
        if first is None:
            return None
        time.sleep(SECONDS)
        lines = [_line(first)]
        for _ in range(self.queue.qsize()):
            item = self.queue.get()
            if item is None:
                self.enqueue_sentinel()
                break
            lines.append(_line(item))
        return logging.makeLogRecord({"msg": "\n".join(lines)})


def _line(item: Any) -> str:
    if isinstance(item, dict):
        return render(item)
    return str(item.msg)


class Stdout(logging.StreamHandler[Any]):
    """Writes to stdout; a reader that has gone does not end the log in the file."""

    def handleError(self, record: logging.LogRecord) -> None:
        """Go on without the record."""


class AccessLog:
    """The logging of a process, from `configure` to `close`."""

    def __init__(self, settings: Settings) -> None:
        queue: SimpleQueue[Item] = SimpleQueue()
        self.handler = BoundedHandler(queue)
        self.handler.setFormatter(JsonFormatter())
        self._file = LogFile(settings)
        self._listener = BatchListener(queue, Stdout(sys.stdout), self._file)
        self._logs_requests = settings.log_level in ("DEBUG", "INFO")
        self._listener.start()

    def request(self, fields: dict[str, Any]) -> None:
        """Log the line of one request; a log record would cost many times as much."""
        if self._logs_requests:
            self.handler.enqueue(fields)

    def close(self) -> None:
        """Write what is left and close the file."""
        self._listener.stop()
        with contextlib.suppress(OSError):  # what a full disk did not take
            self._file.close()


def configure(settings: Settings) -> AccessLog:
    """Send everything that is logged to stdout and the file, until it is closed."""
    access_log = AccessLog(settings)
    root = logging.getLogger()
    root.handlers[:] = [access_log.handler]
    root.setLevel(settings.log_level)
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    return access_log
