"""Bare mirrors of the students' copies, which only ever grow.

Each fetch that brings something new leaves `refs/collected/TIME`, and each deadline
`refs/deadline/LESSON/HANDLE/DAY`. Nothing of a copy is checked out or run here.
"""

import os
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from core import git as core_git
from core.errors import PipelineError
from core.git import git, is_ancestor
from core.redact import redact
from course.classroom import ROOT
from course.grading import process

SECONDS = 300
MAIN = "refs/heads/main"
COLLECTED = "refs/collected"
DEADLINE = "refs/deadline"
_TIME = "%Y%m%dT%H%M%SZ"
# Schemes that start a program on this computer, such as `ext::`, are not among them.
_SCHEMES = "file:git:http:https:ssh"
_SETTINGS = (
    "-c",
    "fetch.fsckObjects=true",
    "-c",
    "fetch.recurseSubmodules=false",
    "-c",
    "gc.auto=0",
    "-c",
    "maintenance.auto=false",
)
_FETCH = ("fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--force")
_PLACE = re.compile(r"[\w./~+-]*(object|commit|tree|blob) ")


@dataclass(frozen=True)
class Fetch:
    """A commit that `main` had when a copy was fetched."""

    time: datetime
    commit: str


class Mirror:
    """The mirror of one student's copy.

    Attributes:
        path: the bare repository.
        handle: the student.
    """

    def __init__(self, path: Path, handle: str) -> None:
        """Name a mirror; `update` makes it."""
        self.path = path
        self.handle = handle

    def git(self, *arguments: str) -> str:
        """Return what Git prints in the mirror."""
        return git(self.path, *arguments)

    @property
    def main(self) -> str:
        """The commit of `main` at the last fetch; empty if there is none."""
        return self._ref(MAIN)

    def _ref(self, name: str) -> str:
        if not self.path.is_dir():
            return ""
        return self.git("for-each-ref", "--format=%(objectname)", name)

    def update(self, address: str, now: datetime) -> None:
        """Fetch `main`, in a process with bounded time and file sizes.

        Args:
            address: where from.
            now: the time that is recorded.

        Raises:
            PipelineError: it cannot be fetched, or is too large.
        """
        if not self.path.is_dir():
            self.path.mkdir(parents=True)
            self.git("init", "--quiet", "--bare", "-b", "main")
        before = self.main
        command = process.python("-m", "course", "fetch", "--", address, str(self.path))
        outcome = process.run(command, ROOT, SECONDS, _variables())
        if outcome.status is None:
            raise PipelineError(f"it was not fetched within {SECONDS} seconds.")
        if not outcome.succeeded:
            raise PipelineError(_sentence(outcome.output, outcome.reason))
        if self.main != before:
            name = now.astimezone(UTC).strftime(_TIME)
            self.git("update-ref", f"{COLLECTED}/{name}", self.main)

    def fetched(self) -> list[Fetch]:
        """Return what `main` was at the fetches, the oldest first."""
        fetched = []
        listed = self.git(
            "for-each-ref", "--format=%(refname) %(objectname)", COLLECTED
        )
        for line in listed.splitlines():
            name, commit = line.split(" ")
            time = datetime.strptime(name.rpartition("/")[2], _TIME)
            fetched.append(Fetch(time.replace(tzinfo=UTC), commit))
        return fetched

    def rewritten(self) -> str:
        """Return a sentence if a later fetch lacks commits of an earlier one."""
        fetched = self.fetched()
        for earlier, later in zip(fetched, fetched[1:], strict=False):
            if not is_ancestor(self.path, earlier.commit, later.commit):
                return (
                    f"the history was rewritten: {earlier.commit[:7]} of"
                    f" {earlier.time:%Y-%m-%d} is no longer in main"
                )
        return ""

    def at_deadline(self, lesson: int, day: str) -> str:
        """Return the commit that was recorded for a lesson and its last day, or ""."""
        return self._ref(f"{DEADLINE}/{lesson}/{self.handle}/{day}")

    def record_deadline(self, lesson: int, day: str, commit: str) -> None:
        """Record the commit that counts for a lesson and its last day."""
        self.git("update-ref", f"{DEADLINE}/{lesson}/{self.handle}/{day}", commit)


def fetch(address: str, path: Path) -> None:
    """Fetch `main` from an address into a bare repository.

    Raises:
        PipelineError: Git refuses.
    """
    if not address or address.startswith("-"):
        raise PipelineError(f"{address!r} is not an address.")
    git(path, *_SETTINGS, *_FETCH, "--", address, f"+{MAIN}:{MAIN}")


def _variables() -> dict[str, str]:
    """Return this process's variables: a private copy needs the teacher's password."""
    added = {"GIT_ALLOW_PROTOCOL": _SCHEMES, "GIT_CONFIG_NOSYSTEM": "false"}
    if os.name != "nt":
        # Git asks nobody, and neither does the program that it connects with.
        added["GIT_SSH_COMMAND"] = "ssh -o BatchMode=yes"
    return core_git.environment() | added


def _sentence(output: str, reason: str) -> str:
    """Return why a fetch failed, in words for the teacher."""
    if "couldn't find remote ref" in output:
        return "it has no branch `main`: it is empty, or another branch is its default."
    if "not appear to be a git repository" in output:
        return "there is no Git repository at its address."
    if "File size limit exceeded" in output or "index-pack died of signal" in output:
        megabytes = process.FILE_BYTES // 1024**2
        return f"it is too large: more than {megabytes} MB."
    if "fsck" in output or _PLACE.search(output) and "error in" in output:
        return f"Git refuses its objects: {redact(reason)[:200]}"
    return redact(reason)[:300]
