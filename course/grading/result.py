"""What a check says: passed or not, what it saw, and the next step."""

from dataclasses import dataclass
from enum import StrEnum

from core.errors import PipelineError


class State(StrEnum):
    """How a check ended."""

    PASSED = "passed"
    FAILED = "failed"
    # Not looked at, as a check that it requires did not pass.
    SKIPPED = "skipped"
    # It needs something that this machine lacks; never a pass.
    UNGRADABLE = "cannot be graded here"


@dataclass(frozen=True)
class Verdict:
    """The result of a check.

    Attributes:
        state: how it ended.
        seen: what was seen, a phrase that fits behind the check's name and a colon.
        expected: what was expected instead; empty if it passed.
        remedy: the next step, if it is another than the check's docstring.
    """

    state: State
    seen: str
    expected: str = ""
    remedy: str = ""


def passed(seen: str) -> Verdict:
    """Return the verdict of a check that passed."""
    return Verdict(State.PASSED, seen)


def failed(seen: str, expected: str = "", remedy: str = "") -> Verdict:
    """Return the verdict of a check that did not pass."""
    return Verdict(State.FAILED, seen, expected, remedy)


def ungradable(seen: str, remedy: str = "") -> Verdict:
    """Return the verdict of a check that this machine cannot run."""
    return Verdict(State.UNGRADABLE, seen, "", remedy)


class Red(PipelineError):
    """An instrument saw why a check fails: the check ends with this verdict."""

    def __init__(self, seen: str, expected: str = "", remedy: str = "") -> None:
        text = seen
        if expected:
            text += f"; expected: {expected}"
        super().__init__(f"{text}.")
        self.verdict = failed(seen, expected, remedy)


class Ungradable(PipelineError):
    """An instrument lacks something on this machine: the check ends with this verdict."""

    def __init__(self, seen: str, remedy: str = "") -> None:
        super().__init__(f"{seen}. {remedy}".rstrip())
        self.verdict = ungradable(seen, remedy)
