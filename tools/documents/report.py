"""The results: a table in a terminal, elsewhere plain lines, or JSON."""

import json
import sys

from rich.console import Console
from rich.table import Table
from rich.text import Text

from tools.documents.row import Result, State

COLOURS = {
    State.WORKS: "green",
    State.FAILED: "red",
    State.NOT_RUN: "yellow",
}


def show(results: list[Result], as_json: bool) -> None:
    """Print all results, and how many rows work."""
    if as_json:
        described = [_described(result) for result in results]
        print(json.dumps(described, indent=2, ensure_ascii=False))
        return
    if sys.stdout.isatty():
        _show_table(results)
    else:
        for result in results:
            seen = _one_line(result.seen)
            print(f"{result.row.number:>2}  {result.state:<7}  {seen}")
    counts = []
    for state in State:
        count = _count(results, state)
        counts.append(f"{count} {state}")
    print(f"{len(results)} rows: {', '.join(counts)}.")


def _show_table(results: list[Result]) -> None:
    table = Table("#", "typed or expected", "", "seen", show_lines=True)
    for result in results:
        state = Text(result.state, COLOURS[result.state])
        typed = Text(result.row.typed.replace("`", ""))
        table.add_row(str(result.row.number), typed, state, Text(result.seen))
    Console().print(table)


def _described(result: Result) -> dict[str, object]:
    row = result.row
    return {
        "row": row.number,
        "typed": row.typed,
        "state": result.state,
        "seen": result.seen,
    }


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _count(results: list[Result], state: State) -> int:
    return sum(result.state == state for result in results)
