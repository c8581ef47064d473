"""The three sides of an update as Git trees that differ only in what is to be merged.

A merge compares the template at the time of the last update (the base), the template
now, and the copy. Both trees of the template get the copy's own history, models, data,
results and names, and all three get the generated files of the template now. Only code
and pages are left to merge.
"""

from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from core.file_names import is_owned
from core.git import git, git_bytes
from pipeline.copies.identity import FILE, Identity

GENERATED = (
    "docs/api.md",
    "docs/coming-from.md",
    "docs/configuration.md",
    "docs/metrics.md",
)
PROJECT = "pyproject.toml"
LOCKS = "requirements/*.txt"
_AUTHOR = ("-c", "user.name=pipeline update", "-c", "user.email=update@localhost")

Entries = dict[str, str]  # by path: mode, type and object, as `git ls-tree` prints it


@dataclass(frozen=True)
class Sides:
    """Commits that exist only for the merge; `base` is the parent of both others."""

    base: str
    ours: str
    theirs: str


def make(
    tree: Path, base: str, ours: str, theirs: str, identity: Identity | None
) -> Sides:
    """Return the sides of a merge of `theirs` into `ours`, using the index in `tree`."""
    copy = _entries(tree, ours)
    new = _of_template(tree, theirs, copy, identity)
    old = _of_template(tree, base, copy, identity)
    generated = list(GENERATED)
    if copy.get(PROJECT) == old.get(PROJECT):
        # The copy has no dependencies of its own, so the template's lock files apply.
        generated.append(LOCKS)
    old = _with_generated(old, new, generated)
    copy = _with_generated(copy, new, generated)
    first = _commit(tree, old, "base")
    return Sides(
        base=first,
        ours=_commit(tree, copy, "ours", first),
        theirs=_commit(tree, new, "theirs", first),
    )


def is_own(path: str) -> bool:
    """Return whether a path is the copy's own: history, models, data, results, names."""
    if path.startswith("data/") and path.endswith(".md"):
        return False
    return path == FILE or is_owned(path)


def _with_generated(side: Entries, new: Entries, patterns: list[str]) -> Entries:
    """Return a side with the generated files as they are in the new template."""

    def is_generated(path: str) -> bool:
        return any(fnmatch(path, pattern) for pattern in patterns)

    entries = {}
    for path, entry in side.items():
        if not is_generated(path):
            entries[path] = entry
    for path, entry in new.items():
        if is_generated(path):
            entries[path] = entry
    return entries


def _of_template(
    tree: Path, commit: str, copy: Entries, identity: Identity | None
) -> Entries:
    """Return the files of a commit of the template as they would be in this copy."""
    entries = {}
    for path, entry in _entries(tree, commit).items():
        if not is_own(path):
            entries[path] = entry
    edits = identity.edits() if identity else {}
    for path, edit in edits.items():
        if path in entries:
            mode, kind, blob = entries[path].split(" ")
            content = git_bytes(tree, "cat-file", "blob", blob)
            text = edit(content.decode("utf-8"))
            blob = git(tree, "hash-object", "-w", "--stdin", stdin=text)
            entries[path] = f"{mode} {kind} {blob}"
    for path, entry in copy.items():
        if is_own(path):
            entries[path] = entry
    return entries


def _entries(tree: Path, commit: str) -> Entries:
    listing = git(tree, "ls-tree", "-r", "-z", "--full-tree", commit)
    entries = {}
    for line in listing.split("\0"):
        if line:
            entry, path = line.split("\t", 1)
            entries[path] = entry
    return entries


def _commit(tree: Path, entries: Entries, name: str, *parents: str) -> str:
    git(tree, "read-tree", "--empty")
    lines = ""
    for path, entry in entries.items():
        lines += f"{entry}\t{path}\0"
    git(tree, "update-index", "-z", "--index-info", stdin=lines)
    written = git(tree, "write-tree")
    options = ["-m", name]
    for parent in parents:
        options += ["-p", parent]
    return git(tree, *_AUTHOR, "commit-tree", written, *options)
