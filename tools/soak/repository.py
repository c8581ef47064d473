"""Makes a repository with any number of invented pushes, by `git fast-import`.

Each push has the files of the newest real one, with other identifiers and times, some
other numbers and some other plots; a person's commit follows. They end where the real
history begins, so that the champions stay the newest.
"""

import random
import tempfile
from collections.abc import Iterator
from pathlib import Path

from core.git import git, git_bytes
from history import layout
from tools.soak.template import Template, copy_push, newest_pushes

BRANCH = "main"
PUSHES_A_DAY = 28
DAY_MS = 24 * 3600 * 1000
PAGE = "mlruns/README.md"
NOTES = "docs/soak.md"
_COMMITTER = "soak <soak@example.org>"
# How many pushes one call of Git imports: their bytes are held in memory.
_BATCH = 100
# The server of a clone that takes only a part must be asked for it.
_SETTINGS = {
    "uploadpack.allowFilter": "true",
    "uploadpack.allowAnySHA1InWant": "true",
    "gc.auto": "0",
}


def make(source: Path, target: Path, pushes: int, seed: int = 0) -> None:
    """Make a bare repository from the commit that is checked out.

    Args:
        source: a clone of this project.
        target: the new repository; it must not exist.
        pushes: how many to invent.
    """
    branch = f"refs/heads/{BRANCH}"
    git(source, "clone", "--quiet", "--bare", "--no-hardlinks", ".", str(target))
    commit = git(source, "rev-parse", "HEAD")
    git(target, "symbolic-ref", "HEAD", branch)
    git(target, "update-ref", branch, commit)
    for key, value in _SETTINGS.items():
        git(target, "config", key, value)
    with tempfile.TemporaryDirectory(prefix="mlops-") as folder:
        template = newest_pushes(target, commit, Path(folder).resolve())
    draw = random.Random(seed)
    invented = _Pushes(template, pushes, draw)
    for start in range(0, pushes, _BATCH):
        end = min(start + _BATCH, pushes)
        commands = invented.stream(range(start, end))
        stream = b"".join(commands)
        git_bytes(target, "fast-import", "--quiet", "--done", stdin=stream)
    git(target, "repack", "-a", "-d", "--quiet", "--write-bitmap-index")


class _Pushes:
    """Invented pushes as commands of `git fast-import`."""

    def __init__(self, template: Template, pushes: int, draw: random.Random) -> None:
        self._runs = template.runs
        self._draw = draw
        # Earlier by full days, so that a push stays within its day, and before the
        # oldest run.
        days_of_pushes = pushes // PUSHES_A_DAY
        days_of_history = template.history_ms // DAY_MS
        days = days_of_pushes + days_of_history + 2
        self._earlier = days * DAY_MS

    def stream(self, numbers: range) -> Iterator[bytes]:
        """Yield the commands for some of the pushes, which follow the last ones."""
        parent = f"from refs/heads/{BRANCH}^0\n"
        for number in numbers:
            yield _commit(f"chore(publish): push {number}", number)
            yield parent.encode()
            parent = ""  # from now on it is the commit before
            yield from self._push(number)
            page = f"# Leaderboard\n\nAfter push {number}.\n"
            yield _file(PAGE, page.encode())
            yield _commit(f"docs: note push {number}", number)
            notes = f"Push {number} was seen.\n"
            yield _file(NOTES, notes.encode())
        yield b"done\n"

    def _push(self, number: int) -> Iterator[bytes]:
        """Yield the commands that add the runs of one push."""
        days = number // PUSHES_A_DAY
        later = days * DAY_MS - self._earlier
        for copy in copy_push(self._runs, self._draw, later):
            folder = f"mlruns/{copy.place}"
            text = copy.text.encode()
            yield _file(f"{folder}/{layout.RUN_FILE}", text)
            for name, file in copy.template.files.items():
                path = f"{folder}/{name}"
                if name in copy.new_files:
                    yield _file(path, copy.new_files[name])
                else:
                    command = f"M 100644 {file.blob} {path}\n"
                    yield command.encode()


def _commit(message: str, number: int) -> bytes:
    """Return the command that begins a commit."""
    header = f"commit refs/heads/{BRANCH}\n"
    header += f"committer {_COMMITTER} {number} +0000\n"
    data = _data(message.encode())
    return header.encode() + data


def _file(path: str, content: bytes) -> bytes:
    command = f"M 100644 inline {path}\n"
    return command.encode() + _data(content)


def _data(content: bytes) -> bytes:
    command = f"data {len(content)}\n"
    return command.encode() + content + b"\n"
