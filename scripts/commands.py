"""Command lines with Typer, for programs that run where our packages are installed."""

import functools
import sys
from collections.abc import Callable
from typing import Any

import typer

from scripts import console


def run(command: Callable[..., None], arguments: list[str] | None = None) -> int:
    """Run a function as a command-line program, and return the exit status.

    Args:
        command: its parameters are the program's arguments; for a failure it raises
            `typer.Exit`.
        arguments: those of the process if there are none.

    Returns:
        The command's exit status, or 2 for wrong arguments.
    """
    app = typer.Typer(
        add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False
    )
    app.command()(_interruptible(command))
    return console.run(lambda: _status(app, arguments))


def _status(app: typer.Typer, arguments: list[str] | None) -> int:
    try:
        app(arguments)
    except SystemExit as ended:
        if isinstance(ended.code, str):  # Python itself would print it and end with 1
            print(ended.code, file=sys.stderr)
            return 1
        return ended.code or 0
    return 0


def fail(sentence: str, status: int = 1) -> typer.Exit:
    """Print an error message and return the exception that ends the program."""
    print(f"error: {sentence}", file=sys.stderr)
    return typer.Exit(status)


def _interruptible(command: Callable[..., None]) -> Callable[..., None]:
    """Return the command with a message for the user who stops it."""

    @functools.wraps(command)
    def interruptible(**arguments: Any) -> None:
        try:
            command(**arguments)
        except KeyboardInterrupt:
            print("stopped.", file=sys.stderr)
            raise

    return interruptible
