"""Copies of the template in the hands of students, lesson after lesson."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from core.git import git
from course import classroom, lesson
from course.copy import Copy
from course.work import Work
from tests.conftest import commit_all
from tests.paths import ROOT


@dataclass(frozen=True)
class Desk:
    """A student's clone and the bare repository that it pushes to."""

    folder: Path
    student: str

    @property
    def clone(self) -> Path:
        return self.folder / "clone"

    @property
    def copy(self) -> Copy:
        return Copy(self.clone, classroom.load().salt, owner=self.student)

    def work(self) -> Work:
        """Return the hands of the student."""
        return Work(self.copy)

    def beside(self, folder: Path) -> "Desk":
        """Return a copy of both, in which something else can be tried."""
        shutil.copytree(self.folder, folder, symlinks=True)
        other = Desk(folder, self.student)
        origin = folder / "origin.git"
        git(other.clone, "remote", "set-url", "origin", str(origin))
        return other

    def solve(self, number: int) -> None:
        """Do a lesson as its solution does."""
        lesson.get(number).solve(self.work())

    def check(self, number: int, *options: str) -> dict[str, Any]:
        """Check a lesson with the grader of this checkout, as a program."""
        command = [sys.executable, "-m", "course", "--repo", str(self.clone)]
        command += ["--owner", self.student, *options, "check", str(number), "--json"]
        done = subprocess.run(
            command,
            cwd=ROOT,
            capture_output=True,
            encoding="utf-8",
        )
        assert done.stdout, done.stderr
        answer: dict[str, Any] = json.loads(done.stdout)
        assert done.returncode == answer["status"]
        return answer


def failed(answer: dict[str, Any]) -> dict[str, str]:
    """Return what was seen by each check that failed."""
    failures = {}
    for check in answer["checks"]:
        if check["state"] == "failed":
            failures[check["name"]] = check["seen"]
    return failures


def fresh(folder: Path, student: str) -> Desk:
    """Return a copy as "Use this template" makes it: all files in a single commit."""
    desk = Desk(folder, student)
    bare = folder / "origin.git"
    folder.mkdir(parents=True)
    git(folder, "init", "--quiet", "--bare", "-b", "main", str(bare))
    for name in _files():
        source = ROOT / name
        target = desk.clone / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source, target, follow_symlinks=False)
    git(desk.clone, "init", "--quiet", "-b", "main")
    git(desk.clone, "remote", "add", "origin", str(bare))
    git(desk.clone, "config", "user.name", student)
    git(desk.clone, "config", "user.email", f"{student}@example.org")
    commit_all(desk.clone, "Initial commit")
    git(desk.clone, "push", "--quiet", "origin", "main")
    return desk


@cache
def _files() -> list[str]:
    """Return the files of this checkout that Git has, or would add."""
    listed = git(ROOT, "ls-files", "--cached", "--others", "--exclude-standard")
    names = [name for name in listed.splitlines() if os.path.lexists(ROOT / name)]
    # A copy has no student before lesson 0.
    return [name for name in names if name != "course/student.yaml"]


class Class:
    """The copies of students, each after each lesson, made when they are asked for."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._desks: dict[tuple[str, int], Desk] = {}

    def after(self, number: int, student: str) -> Desk:
        """Return the copy of a student who has done a lesson and all before it.

        Nothing may be changed in it: use `Desk.beside`. -1 is a fresh copy.
        """
        key = (student, number)
        if key not in self._desks:
            self._desks[key] = self._make(number, student)
        return self._desks[key]

    def _make(self, number: int, student: str) -> Desk:
        folder = self._folder / f"{student}{number + 1}"
        if number < 0:
            return fresh(folder, student)
        if number not in {each.number for each in lesson.every()}:
            return self.after(number - 1, student)
        desk = self.after(number - 1, student).beside(folder)
        if number in {each.number for each in lesson.every()}:
            desk.solve(number)
        return desk
