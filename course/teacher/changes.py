"""What commits changed: files, the lines that came into them, and messages."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.git import git
from core.git_objects import read_blobs
from course.grading.history import PUBLISH

# Larger files are data.
MOST_BYTES = 200_000
# The blob of a file before it was there.
NOTHING = "0" * 40
_USUAL_FILE = "100"

Text = list[str]
"""The lines of a text, without blanks around them."""


@dataclass(frozen=True)
class Change:
    """A change of a file.

    Attributes:
        commit: the commit.
        path: the file.
        before: its blob before, `NOTHING` if there was none.
        after: its blob then.
    """

    commit: str
    path: str
    before: str
    after: str


def messages(repository: Path, commits: str) -> Iterator[tuple[str, str]]:
    """Yield the messages that people wrote, each with its commit.

    Args:
        repository: the repository.
        commits: the commits as Git names them, such as `v1..main`.
    """
    published = f"%(trailers:key={PUBLISH},valueonly,separator=%x20)"
    layout = f"--format=%H%x00{published}%x00%B%x1e"
    output = git(repository, "log", layout, commits)
    for record in output.split("\x1e"):
        stripped = record.strip()
        name, _, rest = stripped.partition("\0")
        source, _, message = rest.partition("\0")
        if not source.strip():
            yield name, message


def listed(repository: Path, commits: str) -> Iterator[Change]:
    """Yield the files that commits changed, merges left out, the newest first."""
    options = ("--raw", "--no-abbrev", "--no-renames", "--no-merges", "-z")
    output = git(repository, "log", *options, "--format=%x1e%H", commits)
    _, *records = output.split("\x1e")
    for record in records:
        yield from _of_commit(record)


def _of_commit(record: str) -> Iterator[Change]:
    """Yield the changes of a commit, which Git separates by zeros."""
    fields = [field.strip("\n") for field in record.split("\0")]
    commit = fields[0]
    pairs = zip(
        fields[1::2],
        fields[2::2],
        strict=False,
    )
    for description, path in pairs:
        _, mode, before, after, _ = description.split(" ")
        if mode.startswith(_USUAL_FILE):
            yield Change(commit, path, before, after)


def as_one(
    repository: Path,
    since: str,
    changes: Iterable[Change],
) -> list[Change]:
    """Return changes as one for each file, from a commit to the newest change.

    Args:
        repository: the repository.
        since: the commit.
        changes: the changes after it, the newest first.
    """
    newest: dict[str, Change] = {}
    for change in changes:
        newest.setdefault(change.path, change)
    before = _blobs(repository, since)
    whole = []
    for path, change in newest.items():
        start = before.get(path, NOTHING)
        one = Change(
            change.commit,
            path,
            start,
            change.after,
        )
        whole.append(one)
    return whole


def _blobs(repository: Path, commit: str) -> dict[str, str]:
    """Return the blobs of a commit by their paths."""
    blobs = {}
    tree = git(repository, "ls-tree", "-r", "-z", commit)
    for line in tree.split("\0"):
        description, _, path = line.partition("\t")
        _, _, blob = description.rpartition(" ")
        blobs[path] = blob
    return blobs


def added_lines(
    repository: Path, changes: Sequence[Change]
) -> Iterator[tuple[Change, Text]]:
    """Yield changes with the lines that they brought."""
    blobs = set()
    for change in changes:
        blobs.add(change.before)
        blobs.add(change.after)
    blobs.discard(NOTHING)
    texts = _texts(repository, sorted(blobs))
    for change in changes:
        after = texts.get(change.after, [])
        before = texts.get(change.before, [])
        added = Counter(after)
        added.subtract(before)
        lines = [line for line in after if added[line] > 0]
        if lines:
            yield change, lines


def _texts(repository: Path, blobs: Sequence[str]) -> dict[str, Text]:
    """Return blobs that are texts of a usual size."""
    usual = _usual(repository, blobs)
    contents = read_blobs(repository, usual)
    texts = {}
    for name, content in zip(usual, contents, strict=True):
        if b"\0" in content:
            continue
        text = content.decode(errors="replace")
        lines = map(str.strip, text.splitlines())
        texts[name] = list(filter(None, lines))
    return texts


def _usual(repository: Path, blobs: Sequence[str]) -> list[str]:
    """Return the blobs that are there and no data."""
    if not blobs:
        return []
    names = "\n".join(blobs)
    output = git(repository, "cat-file", "--batch-check", stdin=names)
    usual = []
    for line in output.splitlines():
        name, kind, size = line.split(" ")
        if kind != "blob":
            continue
        if int(size) <= MOST_BYTES:
            usual.append(name)
    return usual
