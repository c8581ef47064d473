"""The three sides of an update as Git trees in which nothing differs that must not be
merged.

A merge compares the template as the copy knew it (the base), the template now, and the
copy. Both trees of the template get the copy's own history, models, data, results and
names; what is generated is everywhere as the template has it now. What is left to merge
is code and pages.
"""

from collections.abc import Iterator
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
PROJECT, LOCKS = "pyproject.toml", "requirements/*.txt"
_AUTHOR = ("-c", "user.name=pipeline update", "-c", "user.email=update@localhost")

Entries = dict[str, str]  # by path what `git ls-tree` says of it: mode, type and object


@dataclass(frozen=True)
class Sides:
    """Commits that are made for a merge alone: `base` is the parent of both others."""

    base: str
    ours: str
    theirs: str


def make(
    tree: Path, base: str, ours: str, theirs: str, identity: Identity | None
) -> Sides:
    """Return the sides of a merge of the commit `theirs` into `ours`; use the index in
    `tree`.
    """
    copy = _entries(tree, ours)
    new = _of_template(tree, theirs, copy, identity)
    old = _of_template(tree, base, copy, identity)
    # Locks are made of pyproject.toml: they are the template's unless that was changed
    # here.
    locks = (LOCKS,) if copy.get(PROJECT) == old.get(PROJECT) else ()
    generated = {
        path: entry for path, entry in new.items() if _is(path, *GENERATED, *locks)
    }
    trees = [
        {
            path: entry
            for path, entry in side.items()
            if not _is(path, *GENERATED, *locks)
        }
        | generated
        for side in (old, copy, new)
    ]
    first = _commit(tree, trees[0], "base")
    return Sides(
        first,
        *(
            _commit(tree, one, name, first)
            for one, name in zip(trees[1:], ("ours", "theirs"))
        ),
    )


def is_own(path: str) -> bool:
    """Tell whether a path is the copy's alone: history, models, data, results and its
    names.
    """
    if path.startswith("data/") and path.endswith(".md"):
        return False
    return path == FILE or is_owned(path)


def _is(path: str, *patterns: str) -> bool:
    return any(fnmatch(path, pattern) for pattern in patterns)


def _of_template(
    tree: Path, commit: str, copy: Entries, identity: Identity | None
) -> Entries:
    """Return the files of a commit of the template as they would be in this copy."""
    found = {p: entry for p, entry in _entries(tree, commit).items() if not is_own(p)}
    for path, edit in (identity.edits() if identity else {}).items():
        if path in found:
            mode, kind, blob = found[path].split(" ")
            text = git_bytes(tree, "cat-file", "blob", blob).decode("utf-8")
            blob = git(tree, "hash-object", "-w", "--stdin", stdin=edit(text))
            found[path] = f"{mode} {kind} {blob}"
    return found | {path: entry for path, entry in copy.items() if is_own(path)}


def _entries(tree: Path, commit: str) -> Entries:
    return dict(_listed(git(tree, "ls-tree", "-r", "-z", "--full-tree", commit)))


def _listed(text: str) -> Iterator[tuple[str, str]]:
    for line in text.split("\0"):
        if line:
            entry, path = line.split("\t", 1)
            yield path, entry


def _commit(tree: Path, entries: Entries, name: str, *parents: str) -> str:
    git(tree, "read-tree", "--empty")
    lines = "".join(f"{entry}\t{path}\0" for path, entry in entries.items())
    git(tree, "update-index", "-z", "--index-info", stdin=lines)
    written = git(tree, "write-tree")
    options = [part for parent in parents for part in ("-p", parent)]
    return git(tree, *_AUTHOR, "commit-tree", written, *options, "-m", name)
