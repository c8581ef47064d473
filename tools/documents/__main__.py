"""Runs every row of the table as it is typed: `nox -s documents`."""

import signal
import sys
from typing import Annotated

import typer

from core import environment
from scripts import commands
from scripts.stack.settings import StackError
from tools.documents import report, start, table
from tools.documents.row import Result, Row, State, run
from tools.documents.stack import Mode, Stack


def main(
    mode: Annotated[
        Mode | None,
        typer.Option(
            help="How the stack runs.",
            show_default="containers where Docker runs, else local processes",
        ),
    ] = None,
    row: Annotated[
        list[int] | None,
        typer.Option(metavar="N", help="Run this row alone; repeatable."),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the results as JSON.")
    ] = False,
) -> None:
    """Run what users of other stacks type, row by row, in a stack of its own.

    The exit status is 1 if a row fails.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a job that is cancelled
    environment.prepare()
    chosen = _chosen(row or [])
    chosen_mode = mode or start.usual_mode()
    print(f"starting a stack ({chosen_mode}) …", file=sys.stderr, flush=True)
    results: list[Result] = []
    try:
        with start.started(chosen_mode) as stack:
            try:
                for one in chosen:
                    results.append(_run(one, stack))
            finally:  # also if the program is interrupted
                report.show(results, as_json)
    except StackError as error:
        raise commands.fail(str(error)) from error
    if any(result.state is State.FAILED for result in results):
        raise typer.Exit(1)


def _chosen(numbers: list[int]) -> list[Row]:
    """Return the rows with these numbers, or all if there are none.

    Raises:
        typer.BadParameter: there is no row with a number.
    """
    existing = [row.number for row in table.ROWS]
    for number in numbers:
        if number not in existing:
            reason = f"there is no row {number}: the rows are 1 to {max(existing)}."
            raise typer.BadParameter(reason, param_hint="--row")
    return [row for row in table.ROWS if not numbers or row.number in numbers]


def _run(row: Row, stack: Stack) -> Result:
    print(f"row {row.number} …", file=sys.stderr, flush=True)
    return run(row, stack)


if __name__ == "__main__":
    sys.exit(commands.run(main))
