"""A student's copy of the template, as data: files, commits, the history in `mlruns/`.

Nothing of it is imported or run here. `course.grading` runs programs of it, each in a
process of its own.
"""

import json
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from core import git as core_git
from core.errors import PipelineError, UsageError
from core.git import GitError, git_bytes, succeeds
from core.git_objects import read_blobs
from course import student, yaml_text
from course.classroom import ROOT
from course.orchard import Orchard, Row
from course.personal import Draw, Personal
from course.student import Student

MOST_BYTES = 20_000_000
# What the mode of a file begins with, and not that of a link, folder or submodule.
FILE_MODE = "100"


class Copy:
    """A checkout of a student.

    Attributes:
        root: its folder.
        here: whether it is the checkout that this program belongs to, so that this
            computer is the student's.
        owner: the name that the student must have, if somebody knows it: the owner of
            the repository on GitHub, or the name in a teacher's roster.
        personal: what the student's tasks are drawn from.
        hidden: what only checks use is drawn from, such as rows that nobody has seen.
    """

    def __init__(
        self, root: Path, salt: str, hidden_salt: str = "", owner: str = ""
    ) -> None:
        """Open a checkout.

        Args:
            root: its folder.
            salt: that of the class.
            hidden_salt: that of the checks, which is secret where marks are given; by
                default that of the class.
            owner: see the attribute.

        Raises:
            UsageError: the folder is no checkout.
        """
        if not (root / ".git").exists():
            raise UsageError(f"{root} is not the root of a Git repository.")
        self.root = root.resolve()
        self.here = self.root == ROOT
        self.owner = owner
        self._salt = salt
        self._hidden_salt = hidden_salt or salt

    def at(self, root: Path) -> "Copy":
        """Return another checkout of the same student."""
        return Copy(root, self._salt, self._hidden_salt, self.owner)

    @cached_property
    def student(self) -> Student:
        """The student who works in this copy.

        Raises:
            UsageError: nobody does yet.
        """
        if not (self.root / student.FILE).is_file():
            raise UsageError(
                f"{student.FILE} is missing: begin with"
                " `python -m course start --student NAME`."
            )
        return student.parse(self.text(student.FILE))

    @cached_property
    def personal(self) -> Personal:
        """What the student's tasks are drawn from."""
        return Personal(self._salt, self.student.handle)

    @cached_property
    def hidden(self) -> Draw:
        """What only the checks use is drawn from."""
        return Draw(f"{self._hidden_salt}\0hidden", self.student.handle)

    @cached_property
    def orchard(self) -> Orchard:
        """The student's orchard."""
        return Orchard(self.personal)

    def hidden_trees(self, season: int, count: int, purpose: str) -> list[Row]:
        """Return trees of the student's orchard that only a check has.

        Args:
            season: 1 or 2.
            count: how many.
            purpose: the check that draws them.
        """
        number = self.hidden.number(purpose, 0, 10**9)
        return self.orchard.season(season, count, str(number))

    def git(self, *arguments: str) -> str:
        """Return what Git prints in the checkout."""
        return core_git.git(self.root, *arguments)

    @cached_property
    def head(self) -> str:
        """The commit that is checked out.

        Raises:
            PipelineError: there is none.
        """
        try:
            return self.git("rev-parse", "HEAD^{commit}")
        except GitError as error:
            raise PipelineError(f"{self.root} has no commit yet.") from error

    @cached_property
    def started(self) -> str:
        """The first commit with the student's file: where the course began; or ""."""
        commits = self.git("log", "--format=%H", "--diff-filter=A", "--", student.FILE)
        if not commits:
            return ""
        return commits.splitlines()[-1]

    def content(self, path: str, commit: str = "HEAD") -> bytes:
        """Return a file as it is in a commit.

        Raises:
            PipelineError: the commit has no such file, or it is too large or a link.
        """
        listed = self.git("ls-tree", "-l", "--full-tree", commit, "--", path)
        fields = listed.split(maxsplit=4)
        if len(fields) != 5:
            raise _is_no_file(path, commit)
        mode, _, blob, size_text, _ = fields
        if not mode.startswith(FILE_MODE):
            raise _is_no_file(path, commit)
        size = int(size_text)
        if size > MOST_BYTES:
            raise PipelineError(f"{path} is too large: {size:,} bytes.")
        return git_bytes(self.root, "cat-file", "blob", blob)

    def jsons(self, paths: Sequence[str], commit: str = "HEAD") -> list[dict[str, Any]]:
        """Return the content of many JSON files of a commit, in the paths' order.

        Raises:
            PipelineError: one is missing or too large, or they are not JSON with keys.
        """
        blobs = self._blobs(set(paths), commit)
        for path in paths:
            if path not in blobs:
                raise _is_no_file(path, commit)
        contents = read_blobs(self.root, [blobs[path] for path in paths])
        pairs = zip(paths, contents, strict=True)
        return [_parsed(content, path) for path, content in pairs]

    def _blobs(self, paths: set[str], commit: str) -> dict[str, str]:
        """Return the blobs of files in a commit."""
        blobs = {}
        total = 0
        listing = ("ls-tree", "-r", "-l", "-z", "--full-tree", commit)
        for line in self.git(*listing).split("\0"):
            fields, _, path = line.partition("\t")
            if path in paths and fields.startswith(FILE_MODE):
                _, _, blob, size = fields.split()
                blobs[path] = blob
                total += int(size)
        if total > MOST_BYTES:
            raise PipelineError(f"the JSON files have {total:,} bytes, too many.")
        return blobs

    def text(self, path: str, commit: str = "") -> str:
        """Return the text of a file, in a commit or as it lies in the checkout.

        Raises:
            PipelineError: there is no such file, or it is too large, a link, or no text.
        """
        if commit:
            content = self.content(path, commit)
        else:
            content = self._working(path)
        try:
            text = content.decode("utf-8")
        except UnicodeDecodeError as error:
            raise PipelineError(f"{path} is not text in UTF-8.") from error
        return text.replace("\r\n", "\n")

    def _working(self, path: str) -> bytes:
        file = self.root / path
        is_inside = file.resolve().is_relative_to(self.root)
        if not is_inside or not file.is_file():
            raise PipelineError(f"{path} is missing.")
        size = file.stat().st_size
        if size > MOST_BYTES:
            raise PipelineError(f"{path} is too large: {size:,} bytes.")
        return file.read_bytes()

    def yaml(self, path: str, commit: str = "") -> dict[str, Any]:
        """Return the keys and values of a YAML file; see `text`."""
        return yaml_text.mapping(self.text(path, commit), path)

    def json(self, path: str, commit: str = "HEAD") -> dict[str, Any]:
        """Return the content of a JSON file in a commit; see `content`."""
        return _parsed(self.content(path, commit), path)

    def paths(self, folder: str, commit: str = "HEAD") -> list[str]:
        """Return the paths of the files below a folder in a commit."""
        listing = ("ls-tree", "-r", "-z", "--name-only", "--full-tree", commit)
        output = self.git(*listing, "--", f"{folder}/")
        return [path for path in output.split("\0") if path]

    def has(self, path: str, commit: str = "HEAD") -> bool:
        """Return whether a commit has a path."""
        return succeeds(self.root, "cat-file", "-e", f"{commit}:{path}")

    def registry(self, task: str, commit: str = "HEAD") -> list[dict[str, Any]]:
        """Return the promotions of a task in a commit, the oldest first."""
        folder = f"mlruns/registry/{task}"
        paths = self.paths(folder, commit)
        entries = self.jsons(paths, commit)
        return sorted(entries, key=lambda entry: int(entry["version"]))

    def answers(self) -> dict[str, Any]:
        """Return the student's answers: `course/answers.yaml` of the last commit."""
        path = "course/answers.yaml"
        if not self.has(path):
            return {}
        return self.yaml(path, "HEAD")


def _is_no_file(path: str, commit: str) -> PipelineError:
    return PipelineError(f"{path} is not a file of commit {commit[:7]}.")


def _parsed(content: bytes, path: str) -> dict[str, Any]:
    """Return the keys and values of a JSON file."""
    try:
        parsed = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise PipelineError(f"{path} is not JSON.") from error
    if not isinstance(parsed, dict):
        raise PipelineError(f"{path} has no keys with values.")
    return parsed
