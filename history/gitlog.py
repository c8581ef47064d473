"""Reads commits, the index and attributes from Git, with a few calls for all files."""

import os
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from core.git import GitError, git, git_bytes

_LOG = (
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
)
# The attributes that can change the bytes of a file.
_ATTRIBUTES = (
    "text",
    "eol",
    "filter",
    "ident",
    "working-tree-encoding",
)
Attributes = dict[str, str]  # the values of a file's attributes by name
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
    """A file in Git: its mode, and the ID of its content."""

    mode: str
    blob: str


def events(root: Path, *options: str) -> Iterator[Event]:
    """Yield what `git log` shows with these options and paths, newest first.

    Raises:
        GitError: the history cannot be read.
    """
    output = git_bytes(root, *_LOG, *options)
    text = output.decode(errors="surrogateescape")
    parts = iter(text.split("\0"))
    commit = ""
    parents: tuple[str, ...] = ()
    for part in parts:
        part = part.strip("\n ")
        if part.startswith(":"):
            *_, old, new, status = part.split(" ")
            path = next(parts)
            yield Event(commit, parents, status[0], path, old, new)
        elif _HEADER.fullmatch(part):
            commit, *rest = part.split(" ")
            parents = tuple(rest)


def tree(
    root: Path,
    commit: str,
    folder: str,
) -> dict[str, Entry]:
    """Return the files below a folder in a commit, by path."""
    command = ("ls-tree", "-r", "-z", commit, "--", f"{folder}/")
    output = git_bytes(root, *command)
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


def left_out(root: Path, folders: list[str]) -> frozenset[str]:
    """Return the files below some folders that a sparse checkout leaves out."""
    output = git_bytes(root, "ls-files", "-t", "-z", "--", *folders)
    return frozenset(
        part.removeprefix("S ") for part in _parts(output) if part.startswith("S ")
    )


def ignored(root: Path, folder: str) -> list[str]:
    """Return the files below a folder that the user's `git add` would leave out."""
    own = _own_file(root, "excludesFile", "ignore")
    options = ("--others", "--ignored", "--exclude-standard", "-z")
    output = git_bytes(root, *own, "ls-files", *options, "--", folder)
    return _parts(output)


def changing_attributes(root: Path, paths: list[str]) -> dict[str, str]:
    """Return for each path the attributes by which Git would change the file's bytes.

    Paths without such an attribute are left out.
    """
    own = _own_file(root, "attributesFile", "attributes")
    command = (*own, "check-attr", "-z", "--stdin", *_ATTRIBUTES)
    stdin = "\0".join(paths)
    output = git_bytes(root, *command, stdin=stdin.encode(errors="surrogateescape"))
    attributes: dict[str, Attributes] = defaultdict(dict)
    fields = iter(_parts(output))
    for path, name, value in zip(fields, fields, fields):
        is_set = value not in ("unset", "unspecified")
        if is_set or name == "text":
            attributes[path][name] = value
    changing = {}
    for path, values in attributes.items():
        text = _changing(values)
        if text:
            changing[path] = text
    return changing


def _changing(attributes: Attributes) -> str:
    """Return those of a file's attributes that change its bytes, as one text."""
    text = attributes.pop("text", "unspecified")
    if text == "unset":
        attributes.pop("eol", None)
    elif text != "unspecified":
        attributes["text"] = text
    settings = []
    for name, value in sorted(attributes.items()):
        settings.append(f"{name}={value}")
    return ", ".join(settings)


def _own_file(
    root: Path,
    setting: str,
    default: str,
) -> tuple[str, str]:
    """Return the options that let Git read the user's own file of this kind."""
    key = f"core.{setting}"
    for scope in ("--local", "--global", "--system"):
        value = _setting(root, scope, key)
        if value:
            return "-c", f"{key}={value}"
    folder = os.environ.get("XDG_CONFIG_HOME")
    if not folder:
        home = os.environ.get("HOME", "")
        folder = f"{home}/.config"
    return "-c", f"{key}={folder}/git/{default}"


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
