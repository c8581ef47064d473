"""What solutions and fakes do in a copy: edit files, run commands, commit, publish."""

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import yaml

from core.errors import PipelineError
from core.files import write_atomic
from core.git import git, succeeds
from course.check import Check
from course.copy import Copy
from course.orchard import Orchard
from course.personal import Personal

ANSWERS = "course/answers.yaml"
# Marks the commits of a solution that a student had made: `course solve`, `course start`.
TRAILER = "Course-Solved"
SHOWN_LINES = 15


class Work:
    """The hands of a student in a copy.

    Attributes:
        copy: the copy.
        root: its folder.
    """

    def __init__(self, copy: Copy, mark: str = "") -> None:
        """Work in a copy.

        Args:
            copy: the copy.
            mark: the number of the lesson, if the commits are to be marked as made by
                a solution.
        """
        self.copy = copy
        self.root = copy.root
        self._mark = mark

    @property
    def personal(self) -> Personal:
        """What the student's tasks are drawn from."""
        return self.copy.personal

    @cached_property
    def orchard(self) -> Orchard:
        """The student's orchard."""
        return self.copy.orchard

    @property
    def branch(self) -> str:
        """The branch that is checked out."""
        return git(self.root, "symbolic-ref", "--short", "HEAD")

    def read(self, path: str) -> str:
        """Return the text of a file."""
        return (self.root / path).read_text("utf-8")

    def write(self, path: str, text: str) -> None:
        """Write a file, with its folders."""
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(file, text.encode())

    def edit(self, path: str, before: str, after: str) -> None:
        """Replace a text that a file has exactly once.

        Raises:
            PipelineError: it has it not, or more than once: the template changed.
        """
        text = self.read(path)
        if text.count(before) != 1:
            raise PipelineError(
                f"{path} has the text {before!r} {text.count(before)} times and not"
                " once: the solution must follow what the template has now."
            )
        self.write(path, text.replace(before, after))

    def remove(self, path: str) -> None:
        """Remove a file or folder."""
        file = self.root / path
        if file.is_dir():
            shutil.rmtree(file)
        else:
            file.unlink()

    def answer(self, **answers: Any) -> None:
        """Add answers to `course/answers.yaml`."""
        content = {}
        if (self.root / ANSWERS).is_file():
            content = self.copy.yaml(ANSWERS)
        text = yaml.safe_dump(content | answers, sort_keys=True, allow_unicode=True)
        self.write(ANSWERS, text)

    def run(self, command: str, status: int = 0, **variables: str) -> str:
        """Run a command as a person types it, and return what it prints.

        Args:
            command: such as `python -m pipeline train --task iris`.
            status: the exit status that it must have.
            variables: additional variables for it.

        Raises:
            PipelineError: it has another one.
        """
        words = shlex.split(command)
        if words[0] == "python":
            words[0] = sys.executable
        done = subprocess.run(
            words,
            cwd=self.root,
            env=os.environ | {"PYTHONUTF8": "1"} | variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
        )
        if done.returncode != status:
            last = "\n".join(done.stdout.splitlines()[-SHOWN_LINES:])
            raise PipelineError(
                f"`{command}` ended with {done.returncode} and not {status}:\n{last}"
            )
        return done.stdout

    def git(self, *arguments: str) -> str:
        """Run Git in the copy, and return what it prints."""
        return git(self.root, *arguments)

    def commit(self, message: str) -> str:
        """Commit all changes, and return the commit; that of HEAD if there are none."""
        self.git("add", "--all")
        if not succeeds(self.root, "diff", "--cached", "--quiet"):
            marked = message
            if self._mark:
                marked += f"\n\n{TRAILER}: {self._mark}"
            self.git("commit", "--quiet", "--no-verify", "--message", marked)
        return self.git("rev-parse", "HEAD")

    def push(self) -> None:
        """Push the branch to `origin`."""
        self.git("push", "--quiet", "origin", f"HEAD:refs/heads/{self.branch}")

    def pull(self) -> None:
        """Take in what the pipeline has published."""
        self.git("pull", "--quiet", "--ff-only", "origin", self.branch)

    def publish(self, message: str, *tasks: str) -> str:
        """Commit, push, and do what the pipeline does then: train, publish; pull.

        Returns what the publication says.
        """
        self.commit(message)
        self.push()
        options = " ".join(f"--task {task}" for task in tasks)
        self.run(f"python -m pipeline train {options}")
        output = self.run(f"python -m pipeline publish --branch {self.branch}")
        self.pull()
        return output


@dataclass(frozen=True)
class Fake:
    """A way to cheat in a lesson.

    Attributes:
        name: what is done, a phrase.
        act: does it, in a copy in which the earlier lessons are done.
        fails: the check that must see it.
        because: what the check must then say, a part of what was seen.
    """

    name: str
    act: Callable[[Work], None]
    fails: type[Check]
    because: str = ""
