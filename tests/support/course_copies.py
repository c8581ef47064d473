"""Copies of the template in the hands of students, lesson after lesson."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from course import classroom
from course import fresh as copies
from course import lesson
from course.copy import Copy
from course.work import Work
from tests.paths import ROOT
from tests.support.json_content import Json


@dataclass(frozen=True)
class Desk:
    """A student's clone and the bare repository that it pushes to."""

    folder: Path
    student: str

    @property
    def clone(self) -> Path:
        return self.folder / copies.CLONE

    @property
    def copy(self) -> Copy:
        return Copy(self.clone, classroom.load().salt, owner=self.student)

    def work(self) -> Work:
        """Return the hands of the student."""
        return Work(self.copy)

    def beside(self, folder: Path) -> "Desk":
        """Return a copy of both, in which something else can be tried."""
        copies.beside(self.folder, folder)
        return Desk(folder, self.student)

    def solve(self, number: int) -> None:
        """Do a lesson as its solution does."""
        lesson.get(number).solve(self.work())

    def check(self, number: int, *options: str) -> Json:
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
        answer: Json = json.loads(done.stdout)
        assert done.returncode == answer["status"]
        return answer


def failed(answer: Json) -> dict[str, str]:
    """Return what was seen by each check that failed."""
    failures = {}
    for check in answer["checks"]:
        if check["state"] == "failed":
            failures[check["name"]] = check["seen"]
    return failures


def fresh(folder: Path, student: str) -> Desk:
    """Return a copy as "Use this template" makes it: all files in a single commit."""
    copies.fresh(folder, student)
    return Desk(folder, student)


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
