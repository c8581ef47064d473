"""The start and the end of our programs, in any environment of the user."""

import os
import sys
from collections.abc import Callable

from core import output
from core.errors import PipelineError

INTERRUPTED = 130


def run(main: Callable[[], int | None]) -> int:
    """Run a program and return its exit status; a failure is one sentence."""
    output.prepare()
    try:
        status = main() or 0
        sys.stdout.flush()
        return status
    except KeyboardInterrupt:
        print("stopped.", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:  # The reader of the output has ended, as `head` does.
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, sys.stdout.fileno())
        return 1
    except PipelineError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_status
    except OSError as error:
        reason = error.strerror or str(error)
        if error.filename:
            reason = f"{error.filename}: {reason}"
        print(f"error: {reason}.", file=sys.stderr)
        return 1


def first_line(text: str | None) -> str:
    """Return the first line of a docstring, which `python -OO` leaves out."""
    line, _, _ = (text or "").partition("\n")
    return line
