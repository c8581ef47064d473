"""The output of the commands: results on standard output, messages on standard error."""

import errno
import json
import sys
from typing import NoReturn

from rich.console import Console

from core.errors import PipelineError

# The trailers of a published commit are for machines.
TRAILERS = "\n\nMlops-"
DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def show_publication(commit: str, message: str, as_json: bool) -> None:
    """Print a published commit and, for people, its message without the trailers."""
    if as_json:
        print(json.dumps({"commit": commit, "message": message}))
        return
    print(commit)
    text, _, _ = message.partition(TRAILERS)
    show_message(text)


def show_message(message: str) -> None:
    """Print a message for people, which is not part of the command's result."""
    console = Console(stderr=True)
    console.print(message, markup=False, soft_wrap=True)


def fail(error: PipelineError | OSError) -> NoReturn:
    """End the program with one sentence and an exit status instead of a traceback."""
    if isinstance(error, PipelineError):
        _exit(str(error), error.exit_status)
    place = error.filename or "the disk"
    reason = error.strerror or str(error)
    if error.errno in DISK_FULL:
        reason = "no space is left; free some and run the command again"
    _exit(f"{place}: {reason}.", 1)


def _exit(sentence: str, status: int) -> NoReturn:
    console = Console(stderr=True, highlight=False)
    console.print(
        f"error: {sentence}", style="red", markup=False, emoji=False, soft_wrap=True
    )
    sys.exit(status)
