"""Checks of a lesson, and how they are run.

A check is a class with a name; the first line of its docstring is the remedy. Checks that
it requires run first, and it is skipped unless they passed.
"""

import inspect
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from core.errors import PipelineError
from course.copy import Copy
from course.grading.result import Red, State, Ungradable, Verdict, failed


class Check(ABC):
    """A question about a copy that the copy's behaviour answers.

    Attributes:
        name: what is so if it passes, a short phrase.
        requires: the checks of the same lesson that must have passed.
    """

    name: ClassVar[str]
    requires: ClassVar[tuple[type["Check"], ...]] = ()

    @abstractmethod
    def run(self, copy: Copy) -> Verdict:
        """Look at a copy.

        Raises:
            Red, Ungradable: an instrument ended the check with this verdict.
            PipelineError: something of the copy cannot be read: the check fails.
        """

    @classmethod
    def remedy(cls) -> str:
        """Return the next step when the check fails: the docstring's first line."""
        return inspect.cleandoc(cls.__doc__ or "").partition("\n")[0]


@dataclass(frozen=True)
class Result:
    """A check with its verdict."""

    check: type[Check]
    verdict: Verdict

    @property
    def remedy(self) -> str:
        """The next step."""
        return self.verdict.remedy or self.check.remedy()


def run_all(
    checks: Sequence[type[Check]], copy: Copy, report: Callable[[str], None]
) -> list[Result]:
    """Run the checks of a lesson in their order.

    Args:
        checks: the classes.
        copy: the copy.
        report: called with the name of each check before it runs.
    """
    results: dict[type[Check], Result] = {}
    for check in checks:
        missing = [other for other in check.requires if not _passed(results[other])]
        if missing:
            verdict = Verdict(State.SKIPPED, f"needs: {missing[0].name}")
        else:
            report(check.name)
            verdict = _run(check, copy)
        results[check] = Result(check, verdict)
    return list(results.values())


def _passed(result: Result) -> bool:
    return result.verdict.state is State.PASSED


def _run(check: type[Check], copy: Copy) -> Verdict:
    try:
        return check().run(copy)
    except (Red, Ungradable) as ending:
        return ending.verdict
    except PipelineError as error:
        return failed(str(error).rstrip("."))
    except Exception as error:
        # A copy may hold anything, and whatever it breaks is a fault of its own: the
        # sheet of a class needs a line for it, and not a traceback.
        kind = type(error).__name__
        return failed(f"it cannot be read ({kind}: {error})")
