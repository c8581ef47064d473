"""Ways to cheat in lesson 4."""

from course.lessons.lesson_04_red import faults, solution
from course.lessons.lesson_04_red.begin import begin
from course.lessons.lesson_04_red.check import (
    FaultsWerePlanted,
    LintIsClean,
    NothingIsSilenced,
    TestsPass,
)
from course.work import Fake, Work

# Let pytest end well, whatever the tests say.
CONFTEST = """\
import pytest


def pytest_sessionfinish(session: pytest.Session) -> None:
    session.exitstatus = pytest.ExitCode.OK
"""
PYTEST = """\
print("1 passed in 0.01s")
"""
ENDS_EARLY = """

import os as _os

_os._exit(0)
"""


def nothing(work: Work) -> None:
    """Hand in code that was never broken."""
    work.write("course/answers.yaml", "mended: yes\n")
    work.commit(solution.MESSAGE)


def silenced(work: Work) -> None:
    """Mend the logic, and switch the other findings off."""
    begin(work)
    solution.mend_logic(work)
    planted = faults.of(work.copy)
    line = 'whole:.0f}"\n'
    work.edit(planted.type, line, f"{line.rstrip()}  # type: ignore[return-value]\n")
    work.edit(planted.style, "import statistics\n", "import statistics  # noqa\n")
    work.commit(solution.MESSAGE)


def weakened(work: Work) -> None:
    """Leave the fault, and let the tests expect it or be skipped."""
    begin(work)
    solution.mend_lint(work)
    path = faults.TESTS[faults.of(work.copy).logic.path]
    work.write(path, "def test_nothing() -> None:\n    assert True\n")
    work.commit(solution.MESSAGE)


def unmended(work: Work) -> None:
    """Mend what a test sees, and leave the rest."""
    begin(work)
    solution.mend_logic(work)
    work.commit(solution.MESSAGE)


def helped(work: Work) -> None:
    """Leave the fault, and have the tests pass by what they load."""
    begin(work)
    solution.mend_lint(work)
    work.write("conftest.py", CONFTEST)
    work.write("pytest.py", PYTEST)
    work.commit(solution.MESSAGE)


def ended(work: Work) -> None:
    """Leave the fault, and end the program that runs the tests."""
    begin(work)
    solution.mend_lint(work)
    path = faults.of(work.copy).logic.path
    work.write(path, work.read(path) + ENDS_EARLY)
    work.commit(solution.MESSAGE)


FAKES = (
    Fake("code that was never broken", nothing, FaultsWerePlanted, "no commit"),
    Fake("findings that are switched off", silenced, NothingIsSilenced, "added with"),
    Fake("tests that expect the fault", weakened, TestsPass, "test_"),
    Fake("tests that load what lets them pass", helped, TestsPass, "test_"),
    Fake("tests that end before they fail", ended, TestsPass, "did not end well"),
    Fake("a finding that is left", unmended, LintIsClean, ":"),
)
