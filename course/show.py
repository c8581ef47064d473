"""How results are shown: lines for people, JSON for programs."""

import sys
import textwrap
from collections.abc import Sequence
from typing import Any

from rich.console import Console

from course.check import Result
from course.grading.result import State
from course.lesson import Lesson

WIDTH = 80
INDENT = 5
COUNT_WIDTH = 10
MARKS = {
    State.PASSED: "✓",
    State.FAILED: "✗",
    State.SKIPPED: "○",
    State.UNGRADABLE: "?",
}
# For consoles that cannot show the others.
PLAIN_MARKS = {
    State.PASSED: "ok",
    State.FAILED: "X ",
    State.SKIPPED: "- ",
    State.UNGRADABLE: "? ",
}
COLOURS = {
    State.PASSED: "green",
    State.FAILED: "red",
    State.SKIPPED: "dim",
    State.UNGRADABLE: "yellow",
}
GREEN = 0
RED = 1
CANNOT = 3


def marks() -> dict[State, str]:
    """Return the marks that standard output can show."""
    encoding = sys.stdout.encoding or "ascii"
    name = encoding.lower().replace("-", "")
    if name.startswith("utf"):
        return MARKS
    return PLAIN_MARKS


def status(results: Sequence[Result]) -> int:
    """Return the exit status: 0 green, 1 red, 3 if a check cannot run here."""
    states = {result.verdict.state for result in results}
    if State.FAILED in states:
        return RED
    if State.UNGRADABLE in states or State.SKIPPED in states:
        return CANNOT
    return GREEN


def count(results: Sequence[Result]) -> str:
    """Return how many checks passed, such as `3 of 4`."""
    passed = 0
    for result in results:
        if result.verdict.state is State.PASSED:
            passed += 1
    return f"{passed} of {len(results)}"


def show(lesson: Lesson, results: Sequence[Result]) -> None:
    """Print the results of a lesson: at most three lines for each check."""
    console = Console(highlight=False, soft_wrap=True)
    title = f"Lesson {lesson.number}  {lesson.title}"
    left = title.ljust(WIDTH - COUNT_WIDTH)
    right = count(results).rjust(COUNT_WIDTH)
    console.print(left + right, style="bold")
    for result in results:
        for line, style in lines(lesson, result, marks()):
            _print(console, line, style)


def _print(console: Console, line: str, style: str) -> None:
    """Print a line; in a terminal, what does not fit stands below its beginning."""
    if console.is_terminal:
        line = "\n".join(wrapped(line, console.width))
    console.print(line, style=style, markup=False, emoji=False)


def wrapped(line: str, width: int) -> list[str]:
    """Return a line in pieces that fit, broken between words."""
    indent = " " * INDENT if line.startswith(" ") else ""
    pieces = textwrap.wrap(
        line,
        width,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return pieces or [""]


def lines(
    lesson: Lesson, result: Result, symbols: dict[State, str]
) -> list[tuple[str, str]]:
    """Return the lines of a check, each with its style."""
    verdict = result.verdict
    colour = COLOURS[verdict.state]
    mark = symbols[verdict.state]
    indent = " " * INDENT
    first = f" {mark} {result.check.name}: {verdict.seen}"
    shown = [(first, colour)]
    if verdict.expected:
        expected = f"{indent}expected: {verdict.expected}"
        shown.append((expected, ""))
    if verdict.state in (State.FAILED, State.UNGRADABLE):
        hint = f"Hint: python -m course hint {lesson.number}"
        following = f"{indent}next:     {result.remedy} {hint}"
        shown.append((following, ""))
    return shown


def to_json(lesson: Lesson, results: Sequence[Result]) -> dict[str, Any]:
    """Return the results of a lesson for programs."""
    return {
        "lesson": lesson.number,
        "title": lesson.title,
        "passed": status(results) == GREEN,
        "status": status(results),
        "checks": [entry(result) for result in results],
    }


def entry(result: Result) -> dict[str, str]:
    """Return the result of a check for programs."""
    verdict = result.verdict
    following = result.remedy
    if verdict.state is State.PASSED:
        following = ""
    return {
        "name": result.check.name,
        "state": verdict.state.value,
        "seen": verdict.seen,
        "expected": verdict.expected,
        "next": following,
    }


def show_sheet(sheet: Sequence[tuple[Lesson, Sequence[Result]]]) -> None:
    """Print a line for each lesson: how many checks passed, and the first that did not."""
    console = Console(highlight=False, soft_wrap=True)
    symbols = marks()
    done = 0
    for lesson, results in sheet:
        pending = _first_pending(results)
        state = State.PASSED
        if pending:
            state = pending.verdict.state
        else:
            done += 1
        title = f"{lesson.number:>2}  {lesson.title}"
        mark = symbols[state]
        line = f" {mark} {title:<26} {count(results):>8}"
        if pending:
            line += f"  {pending.check.name}"
        _print(console, line, COLOURS[state])
    console.print(f"{done} of {len(sheet)} lessons are done.")


def _first_pending(results: Sequence[Result]) -> Result | None:
    """Return the first check that did not pass, if any."""
    for result in results:
        if result.verdict.state is not State.PASSED:
            return result
    return None
