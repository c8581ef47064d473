"""Standard output and error: UTF-8 if redirected, and never an encoding error."""

import io
import os
import sys


def prepare() -> None:
    """Set up standard output and error, before anything is printed.

    A terminal keeps its encoding, and so does a stream whose encoding the user chose
    with PYTHONIOENCODING: a character that is not in it is written as `?`.
    """
    for stream in (sys.stdout, sys.stderr):
        if not isinstance(stream, io.TextIOWrapper):
            continue
        if stream.isatty() or os.environ.get("PYTHONIOENCODING"):
            stream.reconfigure(errors="replace")
        else:  # Windows would take the encoding of its language, an old Unix plain ASCII
            stream.reconfigure(encoding="utf-8", errors="replace")
