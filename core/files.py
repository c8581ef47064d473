"""Writing files whole or not at all, their digests, and canonical JSON."""

import hashlib
import json
import os
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

TEMPORARY_PREFIX = ".part-"
_ENCODER = json.JSONEncoder(sort_keys=True, ensure_ascii=False, allow_nan=False)


def sha256_bytes(content: bytes) -> str:
    """Return the lower-case hexadecimal SHA-256 of some bytes."""
    return hashlib.sha256(content).hexdigest()


def sha256_file(path: Path) -> str:
    """Return the lower-case hexadecimal SHA-256 of a file's content."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary sibling of `path` that takes its place when the block succeeds.

    A reader sees the old content or the new one; a killed process leaves at most a file
    whose name starts with `TEMPORARY_PREFIX`.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=TEMPORARY_PREFIX, dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o644)
        _replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def _replace(temporary: Path, path: Path) -> None:
    for seconds in (0.01, 0.1, 1.0):
        # Windows refuses for as long as somebody reads the file.
        with suppress(PermissionError):
            temporary.replace(path)
            return
        time.sleep(seconds)
    temporary.replace(path)


def write_atomic(path: Path, content: str | bytes) -> None:
    """Write text (UTF-8, LF) or bytes to `path`, whole or not at all."""
    with replacing(path) as temporary:
        if isinstance(content, str):
            content = content.encode()
        temporary.write_bytes(content)


@contextmanager
def emptied(folder: Path) -> Iterator[Path]:
    """Create an empty folder for unfinished work, and delete it after the block.

    A folder that an earlier process left there is deleted first.
    """
    remove_tree(folder)
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        remove_tree(folder)


def remove_tree(folder: Path) -> None:
    """Delete a folder and all below it, as far as that is possible.

    Windows deletes no file that is read-only, as the objects of Git are.
    """
    if os.name == "nt":
        for path in folder.rglob("*"):
            if path.is_file() and not path.is_symlink():
                path.chmod(stat.S_IWRITE)
    shutil.rmtree(folder, ignore_errors=True)


def to_json(value: dict[str, Any]) -> str:
    """Render JSON for people and for Git: sorted keys, one entry per line.

    Only the two outer levels are broken into lines, so that a metric's history or a
    feature stays one line and a diff names what changed.

    Raises:
        ValueError: a number is NaN or infinite, which is not JSON.
    """
    lines = []
    for key in sorted(value):
        content = _nested(value[key])
        lines.append(f"{_compact(key)}: {content}")
    return "{\n " + ",\n ".join(lines) + "\n}\n"


def _nested(value: Any) -> str:
    if isinstance(value, dict) and value:
        lines = []
        for key in sorted(value):
            content = _compact(value[key])
            lines.append(f"{_compact(key)}: {content}")
        return "{\n  " + ",\n  ".join(lines) + "\n }"
    if isinstance(value, list) and value:
        lines = [_compact(entry) for entry in value]
        return "[\n  " + ",\n  ".join(lines) + "\n ]"
    return _compact(value)


def _compact(value: Any) -> str:
    return _ENCODER.encode(value)
