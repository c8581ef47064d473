"""The template's own tests over files of a student, with the template's code."""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from course.classroom import ROOT
from course.copy import Copy
from course.grading import process, sandbox, worktree
from course.grading.process import Outcome

# Seconds on an idle machine; a busy one needs many times as long.
SECONDS = 600
# What the tests read: the programs, and the files that describe how they run.
PROGRAMS = ("app", "core", "history", "pipeline", "scripts", "tests", "tools")
FILES = ("pyproject.toml", "noxfile.py", "params.yaml", "docker-compose.yml", "VERSION")
FOLDERS = (".github", "deployment", "docs", "monitoring", "requirements")
_NOT_COPIED = shutil.ignore_patterns("__pycache__", "node_modules", "models")


def run(copy: Copy, parts: Sequence[str], tests: Sequence[str]) -> Outcome:
    """Run tests of the template over some files of the copy's last commit.

    Args:
        copy: the copy.
        parts: its folders and files that take the place of the template's.
        tests: the files of the tests, from the root.
    """
    with template(copy, parts) as tree:
        return sandbox.run(command(*tests), tree, SECONDS)


def command(*tests: str) -> list[str]:
    """Return the command that runs tests until the first fails."""
    return process.python("-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *tests)


@contextmanager
def template(copy: Copy, parts: Sequence[str]) -> Iterator[Path]:
    """Write the template's code, tests and pages, with some files of the copy.

    Args:
        copy: the copy.
        parts: its folders and files that take the place of the template's.
    """
    with worktree.folder() as tree:
        _write_template(tree)
        for part in parts:
            if (tree / part).is_dir():
                shutil.rmtree(tree / part)
            worktree.write(copy, copy.head, part, tree)
        yield tree


def _write_template(tree: Path) -> None:
    for name in (*PROGRAMS, *FOLDERS):
        shutil.copytree(ROOT / name, tree / name, ignore=_NOT_COPIED)
    for name in (*FILES, ".env.example"):
        shutil.copyfile(ROOT / name, tree / name)


def reason(outcome: Outcome) -> str:
    """Return the first failure of a run in a line."""
    for line in outcome.output.splitlines():
        if line.startswith(("E   ", "FAILED ", "ERROR ")):
            return line.removeprefix("E").strip()
    return outcome.reason
