"""What Git's history says of the files below `mlruns/`, read by a few calls for all of
them.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from core.git import GitError, git, git_bytes

MLRUNS = "mlruns"
REGISTRY = "mlruns/registry"
RUN_FILES = ":(glob)mlruns/*/*/*/run.json"
_HEADER = re.compile(r"[0-9a-f]{40,64}( [0-9a-f]{40,64})*")


class Event(NamedTuple):
    """A commit that added (A), modified (M, T) or deleted (D) a file, seen from one
    parent.
    """

    commit: str
    parents: tuple[str, ...]
    status: str
    path: str
    old: str
    new: str


class Entry(NamedTuple):
    """A file as Git holds it: its mode, and the id of its content."""

    mode: str
    blob: str


def events(root: Path, *options: str) -> Iterator[Event]:
    """Yield what `git log` shows with these options and paths, newest first.

    Raises:
        GitError: the history cannot be read.
    """
    said = git_bytes(
        root,
        *("-c", "log.showRoot=true"),
        "log",
        "--topo-order",
        "--raw",
        "--no-renames",
        "--no-abbrev",
        "--relative",
        "-z",
        "--format=%H %P",
        *options,
    )
    parts = iter(said.decode(errors="surrogateescape").split("\0"))
    commit, parents = "", ()  # type: str, tuple[str, ...]
    for part in parts:
        text = part.strip("\n ")
        if text.startswith(":"):
            *_, old, new, status = text.split(" ")
            yield Event(commit, parents, status[0], next(parts), old, new)
        elif _HEADER.fullmatch(text):
            commit, *rest = text.split(" ")
            parents = tuple(rest)


def tree(root: Path, commit: str, folder: str) -> dict[str, Entry]:
    """Return the files below a folder in a commit, by path."""
    said = git_bytes(root, "ls-tree", "-r", "-z", commit, "--", f"{folder}/")
    entries = (part.split("\t", 1) for part in _parts(said))
    return {
        path: Entry(fields.split(" ")[0], fields.split(" ")[2])
        for fields, path in entries
    }


def index(root: Path, folder: str) -> tuple[dict[str, Entry], list[str]]:
    """Return the files below a folder in the index, and the paths that have a merge
    conflict.
    """
    found: dict[str, Entry] = {}
    conflicts: list[str] = []
    for part in _parts(git_bytes(root, "ls-files", "--stage", "-z", "--", folder)):
        fields, path = part.split("\t", 1)
        mode, blob, stage = fields.split(" ")
        if stage == "0":
            found[path] = Entry(mode, blob)
        elif path not in conflicts:
            conflicts.append(path)
    return found, conflicts


def ignored(root: Path, folder: str) -> list[str]:
    """Return the files below a folder that the user's `git add` would leave out."""
    options = ("--others", "--ignored", "--exclude-standard", "-z")
    said = git_bytes(
        root, *_own(root, "excludesFile", "ignore"), "ls-files", *options, "--", folder
    )
    return _parts(said)


def changing_attributes(root: Path, paths: list[str]) -> dict[str, str]:
    """Return the attribute by which Git would change a file's bytes on their way, by
    path.
    """
    names = ("text", "eol", "filter", "ident", "working-tree-encoding")
    own = _own(root, "attributesFile", "attributes")
    listed = "\0".join(paths).encode(errors="surrogateescape")
    said = git_bytes(root, *own, "check-attr", "-z", "--stdin", *names, stdin=listed)
    parts = _parts(said)
    values: dict[str, dict[str, str]] = {}
    for path, name, value in zip(parts[::3], parts[1::3], parts[2::3]):
        if value not in ("unset", "unspecified") or name == "text":
            values.setdefault(path, {})[name] = value
    found = {path: _changing(named) for path, named in values.items()}
    return {path: attribute for path, attribute in found.items() if attribute}


def _changing(named: dict[str, str]) -> str:
    """Return which of a file's attributes changes its bytes; an empty text if none
    does.
    """
    text = named.pop("text", "unspecified")
    if text == "unset":
        named.pop("eol", None)
    elif text != "unspecified":
        named["text"] = text
    return ", ".join(f"{name}={value}" for name, value in sorted(named.items()))


def _own(root: Path, setting: str, default: str) -> tuple[str, ...]:
    """Return the options for Git to use the user's own file, as the user's Git does."""
    for scope in ("--local", "--global", "--system"):
        if value := _setting(root, scope, f"core.{setting}"):
            return ("-c", f"core.{setting}={value}")
    base = os.environ.get("XDG_CONFIG_HOME") or f"{os.environ.get('HOME', '')}/.config"
    return ("-c", f"core.{setting}={base}/git/{default}")


def _setting(root: Path, scope: str, name: str) -> str:
    try:
        return git(root, "config", scope, "--default", "", "--get", name)
    except GitError:  # there is no such scope: no home folder
        return ""


def _parts(said: bytes) -> list[str]:
    return [part for part in said.decode(errors="surrogateescape").split("\0") if part]
