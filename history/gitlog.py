"""Reads from Git what it holds of the history's files, with a few calls for all."""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from core.git import GitError, git, git_bytes

_HEADER = re.compile(r"[0-9a-f]{40,64}( [0-9a-f]{40,64})*")


class Event(NamedTuple):
    """A change of a file in a commit, compared with one of its parents.

    `status` is A (added), M or T (modified) or D (deleted); `old` and `new` are the IDs
    of the content.
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
    output = git_bytes(
        root,
        "-c",
        "log.showRoot=true",
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
    parts = iter(output.decode(errors="surrogateescape").split("\0"))
    commit = ""
    parents: tuple[str, ...] = ()
    for part in parts:
        text = part.strip("\n ")
        if text.startswith(":"):
            *_, old, new, status = text.split(" ")
            path = next(parts)
            yield Event(commit, parents, status[0], path, old, new)
        elif _HEADER.fullmatch(text):
            commit, *rest = text.split(" ")
            parents = tuple(rest)


def tree(
    root: Path,
    commit: str,
    folder: str,
) -> dict[str, Entry]:
    """Return the files below a folder in a commit, by path."""
    output = git_bytes(root, "ls-tree", "-r", "-z", commit, "--", f"{folder}/")
    files = {}
    for part in _parts(output):
        fields, path = part.split("\t", 1)
        mode, _, blob = fields.split(" ")
        files[path] = Entry(mode, blob)
    return files


def index(root: Path, folder: str) -> tuple[dict[str, Entry], list[str]]:
    """Return the files below a folder in the index, and the paths with a conflict."""
    files: dict[str, Entry] = {}
    conflicts: list[str] = []
    output = git_bytes(root, "ls-files", "--stage", "-z", "--", folder)
    for part in _parts(output):
        fields, path = part.split("\t", 1)
        mode, blob, stage = fields.split(" ")
        if stage == "0":
            files[path] = Entry(mode, blob)
        elif path not in conflicts:
            conflicts.append(path)
    return files, conflicts


def ignored(root: Path, folder: str) -> list[str]:
    """Return the files below a folder that the user's `git add` would leave out."""
    own = _own_file(root, "excludesFile", "ignore")
    options = ("--others", "--ignored", "--exclude-standard", "-z")
    return _parts(git_bytes(root, *own, "ls-files", *options, "--", folder))


def changing_attributes(root: Path, paths: list[str]) -> dict[str, str]:
    """Return for each path the attributes by which Git would change the file's bytes.

    Paths without such an attribute are left out.
    """
    names = ("text", "eol", "filter", "ident", "working-tree-encoding")
    own = _own_file(root, "attributesFile", "attributes")
    stdin = "\0".join(paths).encode(errors="surrogateescape")
    output = git_bytes(root, *own, "check-attr", "-z", "--stdin", *names, stdin=stdin)
    parts = _parts(output)
    attributes: dict[str, dict[str, str]] = {}
    for path, name, value in zip(parts[::3], parts[1::3], parts[2::3]):
        if value not in ("unset", "unspecified") or name == "text":
            attributes.setdefault(path, {})[name] = value
    changing = {path: _changing(named) for path, named in attributes.items()}
    return {path: text for path, text in changing.items() if text}


def _changing(attributes: dict[str, str]) -> str:
    """Return those of a file's attributes that change its bytes, as one text."""
    text = attributes.pop("text", "unspecified")
    if text == "unset":
        attributes.pop("eol", None)
    elif text != "unspecified":
        attributes["text"] = text
    return ", ".join(f"{name}={attributes[name]}" for name in sorted(attributes))


def _own_file(
    root: Path,
    setting: str,
    default: str,
) -> tuple[str, str]:
    """Return the options that let Git read the user's own file of this kind."""
    for scope in ("--local", "--global", "--system"):
        value = _setting(root, scope, f"core.{setting}")
        if value:
            return "-c", f"core.{setting}={value}"
    home = os.environ.get("HOME", "")
    base = os.environ.get("XDG_CONFIG_HOME") or f"{home}/.config"
    return "-c", f"core.{setting}={base}/git/{default}"


def _setting(
    root: Path,
    scope: str,
    name: str,
) -> str:
    try:
        return git(root, "config", scope, "--default", "", "--get", name)
    except GitError:  # this scope has no file, for example without a home folder
        return ""


def _parts(output: bytes) -> list[str]:
    text = output.decode(errors="surrogateescape")
    return [part for part in text.split("\0") if part]
