"""What a student has written: the changes of files, the sentences and the commits."""

import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.file_names import is_owned
from core.git import git
from core.git_objects import read_blobs
from course import student
from course.classroom import ROOT
from course.grading.history import PUBLISH

# Larger files are data.
MOST_BYTES = 200_000
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
_NOTHING = "0" * 40


@dataclass(frozen=True)
class Material:
    """What was written in a copy since the course began in it.

    Each is mapped to where it is, for the reason of a pair.

    Attributes:
        commits: commits, by number.
        files: blobs of files as they are now.
        changes: digests of the lines that a change brought into a file.
        sentences: lines of words, in files and in messages of commits.
        data: blobs of the student's own tables.
    """

    commits: dict[str, str]
    data: dict[str, str]
    files: dict[str, str]
    changes: dict[str, str]
    sentences: dict[str, str]

    def kinds(self) -> dict[str, dict[str, str]]:
        """Return all of it by what it is called in a reason, the strongest first."""
        return {
            "the same commit": self.commits,
            "the same table": self.data,
            "the same file": self.files,
            "the same change": self.changes,
            "the same sentence": self.sentences,
        }


@dataclass(frozen=True)
class _Change:
    commit: str
    path: str
    before: str
    after: str


def read(repository: Path, main: str) -> Material:
    """Return what was written in a copy.

    Args:
        repository: its mirror.
        main: the commit to look at.
    """
    since = _start(repository, main)
    names = git(repository, "rev-list", f"{since}..{main}").splitlines()
    own = _missing(names)
    material = Material({name: name[:7] for name in own}, {}, {}, {}, {})
    for name, line in _messages(repository, f"{since}..{main}"):
        if name in own:
            _add_sentence(material, line, f"the message of {name[:7]}")
    listed = _changes(repository, f"{since}..{main}")
    changes = [change for change in listed if change.commit in own][:MOST_CHANGES]
    for change in changes:
        if _DATA.fullmatch(change.path):
            material.data[change.after] = change.path
    written = [change for change in changes if not is_owned(change.path)]
    for change, lines in _added(repository, written):
        where = f"{change.path} in {change.commit[:7]}"
        text = "\n".join(lines)
        if _is_long(text):
            digest = hashlib.sha256(text.encode(errors="replace")).hexdigest()
            material.changes.setdefault(digest, where)
        for line in lines:
            _add_sentence(material, line, where)
    for change, lines in _added(repository, _since_start(repository, since, written)):
        if _is_long("\n".join(lines)):
            material.files[change.after] = change.path
    return material


def _since_start(
    repository: Path, since: str, changes: Sequence[_Change]
) -> list[_Change]:
    """Return changes as one for each file, from the start of the course to now."""
    newest: dict[str, _Change] = {}
    for change in changes:
        newest.setdefault(change.path, change)
    before = {}
    for line in git(repository, "ls-tree", "-r", "-z", since).split("\0"):
        fields, _, path = line.partition("\t")
        before[path] = fields.rpartition(" ")[2]
    whole = []
    for path, change in newest.items():
        start = before.get(path, _NOTHING)
        whole.append(_Change(change.commit, path, start, change.after))
    return whole


def _is_long(text: str) -> bool:
    """Return whether a text is longer than what two people write by chance."""
    return len(_LETTERS.findall(text)) >= LEAST_LETTERS


def _start(repository: Path, main: str) -> str:
    """Return the commit with which the course began."""
    listing = ("log", "--format=%H", "--diff-filter=A", main, "--", student.FILE)
    return git(repository, *listing).splitlines()[-1]


def _missing(names: list[str]) -> set[str]:
    """Return the commits that the template lacks: an update may bring others."""
    listed = git(ROOT, "cat-file", "--batch-check", stdin="\n".join(names))
    lines = [line.split(" ") for line in listed.splitlines()]
    return {line[0] for line in lines if line[-1] == "missing"}


def _messages(repository: Path, commits: str) -> Iterator[tuple[str, str]]:
    """Yield the lines of the messages that people wrote, each with its commit."""
    published = f"%(trailers:key={PUBLISH},valueonly,separator=%x20)"
    output = git(repository, "log", f"--format=%H%x00{published}%x00%B%x1e", commits)
    for record in output.split("\x1e"):
        name, _, rest = record.strip().partition("\0")
        source, _, message = rest.partition("\0")
        if not source.strip():
            for line in message.splitlines():
                if not _TRAILER.match(line):
                    yield name, line


def _changes(repository: Path, commits: str) -> Iterator[_Change]:
    """Yield the files that commits changed, merges left out."""
    options = ("--raw", "--no-abbrev", "--no-renames", "--no-merges", "-z")
    output = git(repository, "log", *options, "--format=%x1e%H", commits)
    for record in output.split("\x1e")[1:]:
        commit, *fields = [part.strip("\n") for part in record.split("\0")]
        pairs = zip(fields[::2], fields[1::2], strict=False)
        for description, path in pairs:
            _, mode, before, after, _ = description.split(" ")
            if mode.startswith("100"):
                yield _Change(commit, path, before, after)


def _added(
    repository: Path, changes: Sequence[_Change]
) -> Iterator[tuple[_Change, list[str]]]:
    """Yield changes with the lines that they brought, without blanks around them."""
    blobs = {change.before for change in changes} | {change.after for change in changes}
    texts = _texts(repository, sorted(blobs - {_NOTHING}))
    for change in changes:
        if change.after not in texts:
            continue
        before = Counter(texts.get(change.before, ()))
        added = Counter(texts[change.after]) - before
        lines = [line for line in texts[change.after] if added[line]]
        if lines:
            yield change, lines


def _texts(repository: Path, blobs: list[str]) -> dict[str, list[str]]:
    """Return the lines of blobs that are texts of a usual size."""
    names = "\n".join(blobs)
    if not names:
        return {}
    described = git(repository, "cat-file", "--batch-check", stdin=names).splitlines()
    usual = []
    for line in described:
        name, kind, size = line.split(" ")
        if kind == "blob" and int(size) <= MOST_BYTES:
            usual.append(name)
    texts = {}
    for name, content in zip(usual, read_blobs(repository, usual), strict=True):
        if b"\0" not in content:
            text = content.decode(errors="replace")
            texts[name] = [line.strip() for line in text.splitlines() if line.strip()]
    return texts


def _add_sentence(material: Material, line: str, where: str) -> None:
    """Add a line if it is long enough to be somebody's own words."""
    words = [word for word in line.split() if _WORD.search(word)]
    letters = len(_LETTERS.findall(line))
    if len(words) >= LEAST_WORDS and letters >= LEAST_OF_A_SENTENCE:
        material.sentences.setdefault(normal(line), where)


def normal(line: str) -> str:
    """Return the words of a line, however they are set."""
    return " ".join(_WORD.findall(line)).lower()
