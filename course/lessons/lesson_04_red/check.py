"""Checks of lesson 4: the faults were there, and are mended rather than hidden."""

import json
import re
import shutil
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from course.check import Check
from course.classroom import ROOT
from course.copy import Copy
from course.grading import process, sandbox, template_tests
from course.grading.result import Red, Verdict, failed, passed
from course.lessons.lesson_04_red import faults

# Of each program on a busy computer.
SECONDS = 600
NUMBERS = 160
BEHAVIOUR = Path(__file__).with_name("behaviour.py")
SILENCER = re.compile(r"#\s*(noqa|type:\s*ignore|fmt:\s*(off|skip)|pragma:|isort:)")
# The last line of pytest, which a program that ends too early does not reach.
SUMMARY = re.compile(r"^\d+ passed", re.MULTILINE)


def tree(copy: Copy) -> AbstractContextManager[Path]:
    """Write the template with the copy's four modules, during the block.

    Nothing else of the copy is there: a `conftest.py`, a `pytest.py` or a `mypy.ini` of
    a student would otherwise decide what the tests and linters say.
    """
    return template_tests.template(copy, list(faults.TESTS))


class FaultsWerePlanted(Check):
    """Run `./scripts/nox.sh -s course -- start 4`; mend on that branch, then merge it."""

    name = "the colleague's commit is in your history"

    def run(self, copy: Copy) -> Verdict:
        """Look for a commit with all three faults."""
        logic = faults.of(copy).logic
        since = f"{copy.started}..HEAD" if copy.started else "HEAD"
        commits = copy.git("log", "--format=%H", since, "--", logic.path)
        for commit in commits.splitlines():
            if _has_faults(copy, commit):
                return passed(f"it is {commit[:7]}")
        return failed("no commit has the three faults")


def _has_faults(copy: Copy, commit: str) -> bool:
    """Return whether a commit has all that was planted."""
    planted = faults.of(copy)
    marks = {
        planted.logic.path: planted.logic.after,
        planted.style: faults.STYLE,
        planted.type: faults.TYPE,
    }
    for path, mark in marks.items():
        if mark not in copy.text(path, commit):
            return False
    return True


class NothingIsSilenced(Check):
    """Mend the code instead of switching the finding off."""

    name = "no finding is switched off"
    requires = (FaultsWerePlanted,)

    def run(self, copy: Copy) -> Verdict:
        """Look at the lines that were added since the course began."""
        options = ("--unified=0", "--no-ext-diff", copy.started, "HEAD")
        for line in copy.git("diff", *options, "--", "*.py").splitlines():
            silencer = SILENCER.search(line)
            if line.startswith("+") and silencer:
                return failed(f"a line was added with {silencer[0]!r}")
        return passed("no comment for a linter was added")


class LintIsClean(Check):
    """Run `./scripts/nox.sh -s lint`, and `-s format` for what it can mend itself."""

    name = "format, style and types are clean"
    requires = (NothingIsSilenced,)

    def run(self, copy: Copy) -> Verdict:
        """Run the linters over the modules, with the template's settings."""
        paths = faults.of(copy).paths
        with tree(copy) as folder:
            for command in (
                ("black", "--check", "--quiet"),
                ("flake8",),
                ("mypy", "--follow-imports", "silent", "--cache-dir", "build/mypy"),
            ):
                _lint(folder, command, paths)
        return passed(f"{len(paths)} modules")


def _lint(folder: Path, command: Sequence[str], paths: Sequence[str]) -> None:
    """Run a linter.

    Raises:
        Red: it has a finding.
    """
    module, *options = command
    words = process.python("-m", module, *options, *paths)
    outcome = sandbox.run(words, folder, SECONDS)
    if not outcome.succeeded:
        # black says nothing, and a program that is stopped may not have, either.
        silent = "a module is not formatted"
        if outcome.status is None:
            silent = outcome.reason
        lines = outcome.output.splitlines() or [silent]
        raise Red(f"{module}: {lines[0]}", "no finding")


class TestsPass(Check):
    """Run the test that fails, read what it expects, and mend the code."""

    name = "the template's tests pass with your code"
    requires = (FaultsWerePlanted,)

    def run(self, copy: Copy) -> Verdict:
        """Run the tests of the module, which are the template's."""
        tests = faults.TESTS[faults.of(copy).logic.path]
        with tree(copy) as folder:
            options = ("-q", "-x", "-p", "no:cacheprovider", "-p", "no:xdist")
            command = process.python("-m", "pytest", *options, tests)
            outcome = sandbox.run(command, folder, SECONDS)
        if outcome.succeeded and SUMMARY.search(outcome.output):
            return passed(tests)
        return failed(f"{tests}: {_failure(outcome.output)}", "all pass")


def _failure(output: str) -> str:
    """Return the test that failed, from pytest's summary."""
    for line in output.splitlines():
        if line.startswith(("FAILED ", "ERROR ")):
            return line.partition("::")[2].partition(" - ")[0] or line
    return "it did not end well"


class CodeBehaves(Check):
    """Compare your code with the template's: `git diff HEAD~1 -- FILE`."""

    name = "the modules do what the template's do"
    requires = (TestsPass,)

    def run(self, copy: Copy) -> Verdict:
        """Ask the student's and the template's modules about hidden numbers."""
        asked = numbers(copy)
        with tree(copy) as folder:
            given = answers(folder, folder, asked)
            expected = answers(ROOT, folder, asked)
        for path, right in expected.items():
            if given.get(path) != right:
                return failed(f"{path} answers differently", "the template's answers")
        return passed(f"{len(expected)} modules, {NUMBERS} hidden numbers")


def numbers(copy: Copy) -> list[float]:
    """Return the hidden numbers, each from 0 to 1."""
    stream = copy.hidden.stream("lesson 4 numbers")
    return [stream.random() for _ in range(NUMBERS)]


def answers(code: Path, folder: Path, asked: list[float]) -> dict[str, Any]:
    """Ask the four modules of some code; see `behaviour.py`.

    Args:
        code: the folder with the code.
        folder: where the numbers are written for the program.
        asked: the numbers.

    Returns:
        the answers by the path of the module.

    Raises:
        Red: the program fails.
    """
    file = folder / "numbers.json"
    file.write_text(json.dumps(asked), "utf-8")
    program = shutil.copyfile(BEHAVIOUR, folder / "ask.py")
    command = process.python(str(program), str(file))
    variables = {"PYTHONPATH": str(code)}
    if code == ROOT:  # the template's own code is no program of the copy
        outcome = process.run(command, code, SECONDS, variables)
    else:
        outcome = sandbox.run(command, code, SECONDS, variables)
    if not outcome.succeeded:
        raise Red(f"the modules cannot be asked: {outcome.reason}")
    parsed: dict[str, Any] = json.loads(outcome.output.splitlines()[-1])
    return parsed


CHECKS = (
    FaultsWerePlanted,
    NothingIsSilenced,
    LintIsClean,
    TestsPass,
    CodeBehaves,
)
