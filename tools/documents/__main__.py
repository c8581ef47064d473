"""Runs every row of the table as it is typed, against a stack of its own: `nox -s
documents`.
"""

import argparse
import signal
import sys

from core import environment
from scripts import console
from scripts.stack.settings import StackError
from tools.documents import report, start, table
from tools.documents.row import Result, Row, State, run
from tools.documents.stack import Stack


def main() -> int:
    """Return 0 if no row fails, else 1; 2 for a wrong use."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a job that is cancelled
    environment.prepare()
    flags = _flags()
    chosen = [row for row in table.ROWS if not flags.row or row.number in flags.row]
    mode = flags.mode or start.usual_mode()
    print(f"starting a stack ({mode}) …", file=sys.stderr, flush=True)
    results: list[Result] = []
    try:
        with start.started(mode) as stack:
            try:
                for row in chosen:
                    results.append(_run(row, stack))
            finally:  # also of a call that is stopped
                report.show(results, flags.json)
    except StackError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return int(any(result.state is State.FAILED for result in results))


def _run(row: Row, stack: Stack) -> Result:
    print(f"row {row.number} …", file=sys.stderr, flush=True)
    return run(row, stack)


def _flags() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tools.documents", description=console.first_line(__doc__)
    )
    parser.add_argument(
        *("--mode",),
        choices=["containers", "local"],
        help="without it containers where Docker runs, else local processes",
    )
    numbers = [row.number for row in table.ROWS]
    parser.add_argument(
        *("--row",),
        action="append",
        type=int,
        choices=numbers,
        metavar="N",
        help="run this row alone; can be repeated",
    )
    parser.add_argument("--json", action="store_true", help="print the results as JSON")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(console.run(main))
