"""A row of the table, and its result."""

import subprocess
import urllib.error
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from tools.documents.stack import CannotRun, Failure, Stack

Check = Callable[[Stack], str]
# What a check raises if an answer does not have the expected form.
UNEXPECTED = (
    KeyError,
    IndexError,
    TypeError,
    ValueError,
    AttributeError,
    OSError,
    urllib.error.URLError,
    subprocess.SubprocessError,
)


@dataclass(frozen=True)
class Row:
    """What is typed or expected elsewhere, and what happens here; both are Markdown."""

    number: int
    typed: str
    here: str
    page: str = ""  # that describes it, as a link in docs/
    check: Check | None = None


class State(StrEnum):
    """How a row ended."""

    WORKS = "works"
    FAILED = "failed"
    NOT_RUN = "not run"


@dataclass(frozen=True)
class Result:
    """The result of a row; `seen` is the reason if it failed or cannot run."""

    row: Row
    state: State
    seen: str


def run(row: Row, stack: Stack) -> Result:
    """Run a row's check against a stack; the result contains any error."""
    if row.check is None:
        return Result(row, State.FAILED, "nothing checks this row")
    try:
        return Result(row, State.WORKS, row.check(stack))
    except CannotRun as reason:
        return Result(row, State.NOT_RUN, str(reason))
    except Failure as failure:
        return Result(row, State.FAILED, str(failure))
    except UNEXPECTED as error:
        return Result(row, State.FAILED, f"{type(error).__name__}: {error}")


def expect(condition: object, otherwise: str) -> None:
    """Check a condition.

    Raises:
        Failure: it does not hold; the text is `otherwise`.
    """
    if not condition:
        raise Failure(otherwise)


def comes_with(issue: str) -> Check:
    """Return the check of a row that is not built yet."""

    def check(stack: Stack) -> str:
        raise CannotRun(f"comes with the issue on {issue}")

    return check
