"""How every program of ours begins and ends, whatever the user's environment."""

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
    except BrokenPipeError:  # whoever read the output has had enough, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except PipelineError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_status
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        print(f"error: {where}{error.strerror or error}.", file=sys.stderr)
        return 1


def first_line(text: str | None) -> str:
    """Return the first line of a docstring, which `python -OO` leaves out."""
    return (text or "").partition("\n")[0]
