"""What the commands print: results on standard output, sentences on standard error."""

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
    """Print a published commit; people also get its message, without the trailers."""
    if as_json:
        print(json.dumps({"commit": commit, "message": message}))
        return
    print(commit)
    text = message.partition(TRAILERS)[0]
    Console(stderr=True).print(text, markup=False, soft_wrap=True)


def show_warning(sentence: str) -> None:
    """Print a sentence that people should read before they go on."""
    Console(stderr=True).print(sentence, soft_wrap=True)


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
