"""What a student has written: the changes of files, the sentences and the commits."""

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from core.file_names import is_owned
from core.git import git
from course import student
from course.classroom import ROOT
from course.teacher import changes
from course.teacher.changes import Change

MOST_CHANGES = 5_000
# Shorter changes and lines are what two people write by themselves: a number in a
# setting, a usual line of YAML. Digits and blanks are not counted.
LEAST_LETTERS = 100
LEAST_WORDS = 6
LEAST_OF_A_SENTENCE = 35
_DATA = re.compile(r"data/orchard[^/]*")
_LETTERS = re.compile(r"[^\W\d_]")
_WORD = re.compile(r"[^\W\d_]{2,}")
_TRAILER = re.compile(r"[A-Z][\w-]+: ")

Places = dict[str, str]
"""Where something is, by a digest or the words of it."""

Line = tuple[str, str]
"""A commit and a line of its message."""


@dataclass(frozen=True)
class Material:
    """What was written in a copy since the course began in it.

    Each is mapped to where it is, for the reason of a pair.

    Attributes:
        commits: commits, by number.
        data: blobs of the student's own tables.
        files: blobs of files as they are now.
        changes: digests of the lines that a change brought into a file.
        sentences: lines of words, in files and in messages of commits.
    """

    commits: Places = field(default_factory=dict)
    data: Places = field(default_factory=dict)
    files: Places = field(default_factory=dict)
    changes: Places = field(default_factory=dict)
    sentences: Places = field(default_factory=dict)

    def kinds(self) -> dict[str, Places]:
        """Return all of it by what it is called in a reason, the strongest first."""
        return {
            "the same commit": self.commits,
            "the same table": self.data,
            "the same file": self.files,
            "the same change": self.changes,
            "the same sentence": self.sentences,
        }

    def add_sentence(self, line: str, where: str) -> None:
        """Add a line if it is long enough to be somebody's own words."""
        words = list(filter(_WORD.search, line.split()))
        letters = _LETTERS.findall(line)
        if len(words) < LEAST_WORDS:
            return
        if len(letters) < LEAST_OF_A_SENTENCE:
            return
        self.sentences.setdefault(normal(line), where)

    def add_change(self, text: str, where: str) -> None:
        """Add the lines of a change if they are more than two people write by chance."""
        if not _is_long(text):
            return
        content = text.encode(errors="replace")
        digest = hashlib.sha256(content)
        self.changes.setdefault(digest.hexdigest(), where)


def read(repository: Path, main: str) -> Material:
    """Return what was written in a copy.

    Args:
        repository: its mirror.
        main: the commit to look at.
    """
    material = Material()
    since = _start(repository, main)
    commits = f"{since}..{main}"
    for name in _own(repository, commits):
        material.commits[name] = name[:7]
    for name, line in _written_lines(repository, commits):
        if name in material.commits:
            where = f"the message of {name[:7]}"
            material.add_sentence(line, where)
    own = []
    for change in changes.listed(repository, commits):
        if change.commit in material.commits:
            own.append(change)
    _add_changes(
        material,
        repository,
        since,
        own[:MOST_CHANGES],
    )
    return material


def _add_changes(
    material: Material,
    repository: Path,
    since: str,
    own: Iterable[Change],
) -> None:
    """Add what changes of a student brought into files."""
    written = []
    for change in own:
        if _DATA.fullmatch(change.path):
            material.data[change.after] = change.path
        if not is_owned(change.path):
            written.append(change)
    for change, lines in changes.added_lines(repository, written):
        name = change.commit[:7]
        where = f"{change.path} in {name}"
        text = "\n".join(lines)
        material.add_change(text, where)
        for line in lines:
            material.add_sentence(line, where)
    whole = changes.as_one(repository, since, written)
    for change, lines in changes.added_lines(repository, whole):
        text = "\n".join(lines)
        if _is_long(text):
            material.files[change.after] = change.path


def _is_long(text: str) -> bool:
    """Return whether a text is longer than what two people write by chance."""
    letters = _LETTERS.findall(text)
    return len(letters) >= LEAST_LETTERS


def _start(repository: Path, main: str) -> str:
    """Return the commit with which the course began."""
    listing = ("log", "--format=%H", "--diff-filter=A")
    commits = git(repository, *listing, main, "--", student.FILE)
    *_, first = commits.splitlines()
    return first


def _own(repository: Path, commits: str) -> list[str]:
    """Return the commits that the template lacks: an update may bring others."""
    names = git(repository, "rev-list", commits)
    output = git(ROOT, "cat-file", "--batch-check", stdin=names)
    own = []
    for line in output.splitlines():
        name, _, description = line.partition(" ")
        if description == "missing":
            own.append(name)
    return own


def _written_lines(repository: Path, commits: str) -> Iterator[Line]:
    """Yield the lines of messages, without trailers, each with its commit."""
    for name, message in changes.messages(repository, commits):
        for line in message.splitlines():
            if not _TRAILER.match(line):
                yield name, line


def normal(line: str) -> str:
    """Return the words of a line, however they are set."""
    words = _WORD.findall(line)
    return " ".join(words).lower()
