"""Grades a lesson of a copy in a process of its own, and keeps the result as JSON."""

import hashlib
import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from core.files import to_json, write_atomic
from course.classroom import FILE, ROOT
from course.grading import process
from course.grading.container import Container
from course.lesson import Lesson
from course.show import CANNOT
from course.teacher.deadline import Submission

SECONDS = 3600
MOST_OF_A_REASON = 300
# What the result of a check depends on, apart from the copy.
_CODE = ("app", "core", "history", "pipeline", "course")
_SUFFIXES = (".py", ".yaml", ".yml")
LESSONS = Path("course", "lessons")
HISTORY = "history"
# What is graded: a lesson, or the history of a copy.
Part = Lesson | None
# A result as it is kept, and what the checks print.
Content = dict[str, Any]
# Where programs of a copy ran.
IN_CONTAINERS = "in containers without network"
AS_PROCESSES = "as processes with limits, without a container"


def part_name(part: Part) -> str:
    """Return the name of a result, such as `03`."""
    if part is None:
        return HISTORY
    return f"{part.number:02}"


@dataclass(frozen=True)
class Grader:
    """How a class is graded.

    Attributes:
        folder: where results are kept.
        salt_file: the file with the secret salt of the hidden draws.
        container: where programs of the copies run; None for bounded processes.
    """

    folder: Path
    salt_file: Path
    container: Container | None = None

    def file(self, handle: str, part: str) -> Path:
        """Return where the result of a lesson is kept."""
        results = self.folder / "results"
        return results / handle / f"{part}.json"

    def kept(self, handle: str, part: str) -> Content:
        """Return a result that is kept, or an empty one."""
        file = self.file(handle, part)
        try:
            content = json.loads(file.read_text("utf-8"))
        except (FileNotFoundError, ValueError):
            return {}
        if not isinstance(content, dict):
            return {}
        return content

    def is_graded(self, handle: str, part: Part, commit: str) -> bool:
        """Return whether a result is kept that a new one would repeat.

        What could not be graded on this computer is tried again.
        """
        kept = self.kept(handle, part_name(part))
        key = self.key(commit, part)
        if kept.get("key") != key:
            return False
        result = kept["result"]
        return bool(result["status"] != CANNOT)

    def key(self, commit: str, part: Part) -> str:
        """Return what names the copy's commit, the grader's code and the salt."""
        name = part.folder if part else HISTORY
        text = b"\0".join(
            (
                commit.encode(),
                self.salt_file.read_bytes(),
                name.encode(),
                _code(name),
            )
        )
        return hashlib.sha256(text).hexdigest()

    def grade(
        self,
        root: Path,
        handle: str,
        part: Part,
        submitted: Submission,
    ) -> None:
        """Grade a lesson of a checkout, or its history, and keep the result.

        A result of an earlier version of the grader stays in the new one, as `before`.
        """
        options = ["--salt-file", str(self.salt_file)]
        result = self._run(root, handle, part, options)
        public_only = False
        if part and not result["passed"]:
            # Whatever was written to fit the draws that students can see.
            public = self._run(root, handle, part, [])
            public_only = public["passed"]
        earlier = self.kept(handle, part_name(part))
        before = {}
        if earlier.get("commit") == submitted.commit:
            before = earlier.get("result", {})
        content = {
            "key": self.key(submitted.commit, part),
            "commit": submitted.commit,
            "why": submitted.why,
            "programs": self._programs,
            "result": result,
            "public_only": public_only,
            "before": before,
        }
        self._keep(handle, part, content)

    @property
    def _programs(self) -> str:
        """Where programs of a copy run."""
        if self.container:
            return IN_CONTAINERS
        return AS_PROCESSES

    def miss(self, handle: str, part: Part, submitted: Submission) -> None:
        """Keep that there is nothing in time for a lesson."""
        result = _red("something was submitted in time", submitted.why)
        content = {
            "key": "",
            "commit": "",
            "why": submitted.why,
            "programs": "",
            "result": result,
            "public_only": False,
            "before": {},
        }
        self._keep(handle, part, content)

    def _keep(self, handle: str, part: Part, content: Content) -> None:
        file = self.file(handle, part_name(part))
        write_atomic(file, to_json(content))

    def _run(
        self,
        root: Path,
        handle: str,
        part: Part,
        options: list[str],
    ) -> Content:
        """Run the checks; without options, with the hidden draws of the class."""
        command = process.python("-m", "course", *options)
        command += ["--repo", str(root)]
        command += ["--owner", handle]
        if part:
            command += ["check", str(part.number)]
        else:
            command.append("audit")
        command.append("--json")
        variables = {}
        if self.container:
            variables = self.container.variables()
        with process.running(command, ROOT, variables) as running:
            outcome = running.wait(SECONDS)
            if outcome.status is None:
                # What the checks have started ends with them.
                running.interrupt()
        return _parsed(outcome)


def _parsed(outcome: process.Outcome) -> Content:
    """Return the JSON of a check, or a red result that says why there is none."""
    lines = outcome.output.splitlines()
    for line in reversed(lines):
        if not line.startswith('{"lesson"'):
            continue
        try:
            result: Content = json.loads(line)
        except ValueError:
            break  # the process ended while it printed
        return result
    reason = outcome.reason
    return _red("the lesson can be checked", reason[:MOST_OF_A_REASON])


def _red(name: str, seen: str) -> Content:
    """Return the result of a lesson with a single check, which failed."""
    check = {
        "name": name,
        "state": "failed",
        "seen": seen,
        "expected": "",
        "next": "",
    }
    return {"passed": False, "status": 1, "checks": [check]}


@cache
def _code(name: str) -> bytes:
    """Return a digest of the grader's code that a lesson's result depends on."""
    digest = hashlib.sha256()
    for folder in _CODE:
        paths = (ROOT / folder).rglob("*")
        for path in sorted(paths):
            place = path.relative_to(ROOT)
            if path.suffix not in _SUFFIXES:
                continue
            if _is_other(place, name):
                continue
            content = hashlib.sha256(path.read_bytes())
            digest.update(place.as_posix().encode())
            digest.update(content.digest())
    return digest.digest()


def _is_other(place: Path, name: str) -> bool:
    """Return whether a file belongs to another lesson or to the teacher's side."""
    if place.is_relative_to(LESSONS):
        folder, *below = place.relative_to(LESSONS).parts
        return bool(below) and folder != name
    if place == Path(FILE):
        return True
    return place.is_relative_to("course/teacher")
