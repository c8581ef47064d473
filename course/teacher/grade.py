"""Grades a lesson of a copy in a process of its own, and keeps the result as JSON."""

import hashlib
import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from core.files import to_json, write_atomic
from course.classroom import ROOT
from course.grading import process
from course.lesson import Lesson
from course.teacher.deadline import Submission

SECONDS = 3600
# What the result of a check depends on, apart from the copy.
_CODE = ("app", "core", "history", "pipeline", "course")
HISTORY = "history"


@dataclass(frozen=True)
class Grader:
    """How a class is graded.

    Attributes:
        folder: where results are kept.
        salt_file: the file with the secret salt of the hidden draws.
    """

    folder: Path
    salt_file: Path

    def file(self, handle: str, part: str) -> Path:
        """Return where the result of a lesson is kept."""
        return self.folder / "results" / handle / f"{part}.json"

    def kept(self, handle: str, part: str) -> dict[str, Any]:
        """Return a result that is kept, or an empty one."""
        try:
            content = json.loads(self.file(handle, part).read_text("utf-8"))
        except (FileNotFoundError, ValueError):
            return {}
        return content if isinstance(content, dict) else {}

    def key(self, commit: str, lesson: Lesson | None) -> str:
        """Return what names the copy's commit, the grader's code and the salt."""
        salt = self.salt_file.read_bytes()
        name = lesson.folder if lesson else HISTORY
        text = b"\0".join((commit.encode(), salt, name.encode(), _code(name)))
        return hashlib.sha256(text).hexdigest()

    def grade(
        self, root: Path, handle: str, lesson: Lesson | None, submitted: Submission
    ) -> None:
        """Grade a lesson of a checkout, or its history, and keep the result.

        A result of an earlier version of the grader stays in the new one, as `before`.
        """
        part = f"{lesson.number:02}" if lesson else HISTORY
        before = self.kept(handle, part)
        result = self._run(root, handle, lesson, self.salt_file)
        content = {
            "key": self.key(submitted.commit, lesson),
            "commit": submitted.commit,
            "why": submitted.why,
            "result": result,
            "public_only": False,
            "before": {},
        }
        if lesson and not result["passed"]:
            # Whatever was written to fit the draws that students can see.
            public = self._run(root, handle, lesson, None)
            content["public_only"] = public["passed"]
        if before.get("commit") == submitted.commit:
            content["before"] = before.get("result", {})
        write_atomic(self.file(handle, part), to_json(content))

    def miss(self, handle: str, lesson: Lesson | None, submitted: Submission) -> None:
        """Keep that there is nothing in time for a lesson."""
        part = f"{lesson.number:02}" if lesson else HISTORY
        content = {
            "key": "",
            "commit": "",
            "why": submitted.why,
            "result": _red("something was submitted in time", submitted.why),
            "public_only": False,
            "before": {},
        }
        write_atomic(self.file(handle, part), to_json(content))

    def _run(
        self, root: Path, handle: str, lesson: Lesson | None, salt_file: Path | None
    ) -> dict[str, Any]:
        command = ["-m", "course", "--repo", str(root), "--owner", handle]
        if salt_file:
            command += ["--salt-file", str(salt_file)]
        command += ["check", str(lesson.number)] if lesson else ["audit"]
        program = process.python(*command, "--json")
        with process.running(program, ROOT) as running:
            outcome = running.wait(SECONDS)
            if outcome.status is None:
                # What the checks have started ends with them.
                running.interrupt()
        return _parsed(outcome)


def _parsed(outcome: process.Outcome) -> dict[str, Any]:
    """Return the JSON of a check, or a red result that says why there is none."""
    for line in reversed(outcome.output.splitlines()):
        if line.startswith('{"lesson"'):
            try:
                result = json.loads(line)
            except ValueError:
                break
            if isinstance(result, dict):
                return result
    return _red("the lesson can be checked", outcome.reason[:300])


def _red(name: str, seen: str) -> dict[str, Any]:
    """Return the result of a lesson with a single check, which failed."""
    check = {"name": name, "state": "failed", "seen": seen, "expected": "", "next": ""}
    return {"passed": False, "status": 1, "checks": [check]}


@cache
def _code(name: str) -> bytes:
    """Return a digest of the grader's code that a lesson's result depends on."""
    digest = hashlib.sha256()
    for folder in _CODE:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix not in (".py", ".yaml", ".yml") or _is_other(path, name):
                continue
            digest.update(path.relative_to(ROOT).as_posix().encode())
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.digest()


def _is_other(path: Path, name: str) -> bool:
    """Return whether a file belongs to another lesson or to the teacher's side."""
    parts = path.relative_to(ROOT).parts
    if parts[:2] == ("course", "lessons") and len(parts) > 3:
        return parts[2] != name
    return parts[:2] in (("course", "teacher"), ("course", "class.yaml"))
