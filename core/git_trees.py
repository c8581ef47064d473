"""Folders in Git's database: read many at a time, and changed without an index.

What this costs grows with the folders that are read or changed, and not with the files
of the repository.
"""

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.git import git, git_bytes
from core.git_objects import FILE_MODES, contents

FOLDER_MODE = "40000"
_NEW_FILE = "100644 blob"
_NEW_FOLDER = "040000 tree"
_REMOVED = ""  # stands for the entry of what a folder has no longer
# How many folders one call of Git reads.
_BATCH = 5000
# The hexadecimal digits of a byte.
_DIGITS = 2


@dataclass(frozen=True)
class Entry:
    """A file or a folder in a folder; `name` is that of its blob or tree in Git."""

    path: str
    mode: str
    name: str

    @property
    def is_folder(self) -> bool:
        """Whether it is a folder."""
        return self.mode == FOLDER_MODE

    @property
    def is_file(self) -> bool:
        """Whether it is a file, and not a symbolic link or a submodule."""
        return self.mode in FILE_MODES


def folder_of(root: Path, commit: str, path: str) -> dict[str, str]:
    """Return a folder of a commit or tree with the name of its tree; empty if none."""
    listing = git(root, "ls-tree", "-d", "-z", "--full-tree", commit, "--", path)
    if not listing:
        return {}
    entry, _, _ = listing.partition("\t")
    _, _, name = entry.rpartition(" ")
    return {path: name}


def entries(root: Path, folders: Mapping[str, str]) -> Iterator[list[Entry]]:
    """Yield what each folder holds, sorted by path.

    Args:
        folders: the name of the tree for the path of each folder.

    Raises:
        PipelineError: a tree is not in the repository.
    """
    paths = list(folders)
    for start in range(0, len(paths), _BATCH):
        batch = paths[start : start + _BATCH]
        names = "".join(f"{folders[path]}\n" for path in batch)
        stdin = names.encode()
        output = git_bytes(root, "cat-file", "--batch", stdin=stdin)
        for path, content in zip(batch, contents(output), strict=True):
            digits = len(folders[path])
            yield list(_parse(path, content, digits))


def _parse(folder: str, content: bytes, digits: int) -> Iterator[Entry]:
    """Yield the entries of a tree in Git's own format."""
    size = digits // _DIGITS
    pattern = re.compile(rb"(\d+) ([^\0]+)\0(.{%d})" % size, re.DOTALL)
    for match in pattern.finditer(content):
        mode = match[1].decode()
        name = match[2].decode(errors="surrogateescape")
        blob_or_tree = match[3].hex()
        yield Entry(f"{folder}/{name}", mode, blob_or_tree)


def files_below(root: Path, folders: Mapping[str, str]) -> dict[str, str]:
    """Return the blob of each file below some folders, by its path.

    Args:
        folders: the name of the tree for the path of each folder.
    """
    blobs = {}
    level = dict(folders)
    while level:
        below = {}
        for listing in entries(root, level):
            for entry in listing:
                if entry.is_folder:
                    below[entry.path] = entry.name
                elif entry.is_file:
                    blobs[entry.path] = entry.name
        level = below
    return blobs


def changed_tree(
    root: Path,
    tree: str,
    blobs: Mapping[str, str],
    removed: Collection[str] = (),
) -> str:
    """Return a tree with files added, replaced or removed, or folders removed.

    A folder in which nothing is left is removed, too.

    Args:
        tree: the commit or tree to begin with; at least one of its files stays.
        blobs: the blob for each path, such as `write_blobs` returns.
        removed: paths of other files, or of folders with no file among these.
    """
    changes = _changes(blobs, removed)
    present = _present(root, tree, changes)
    by_depth = _by_depth(changes)
    trees: dict[str, str] = {}
    for depth in sorted(by_depth, reverse=True):
        wholes = {}
        for folder in by_depth[depth]:
            before = present.get(folder, {})
            whole = _changed(before, changes[folder])
            if whole:
                wholes[folder] = whole
        names = _make(root, list(wholes.values()))
        pairs = zip(wholes, names, strict=True)
        trees.update(pairs)
        if depth > 0:  # the root has no parent
            _change_parents(changes, by_depth[depth], trees)
    return trees[""]


def _change_parents(
    changes: dict[str, dict[str, str]], folders: list[str], trees: dict[str, str]
) -> None:
    """Add the new trees of folders to the changes of the folders that hold them."""
    for folder in folders:
        parent, _, own = folder.rpartition("/")
        of_parent = changes[parent]
        if folder in trees:
            of_parent[own] = f"{_NEW_FOLDER} {trees[folder]}"
        else:  # a file may have taken its place
            of_parent.setdefault(own, _REMOVED)


def _changes(
    blobs: Mapping[str, str], removed: Collection[str]
) -> dict[str, dict[str, str]]:
    """Return the new entries of each folder that changes, by the name in the folder."""
    entries = {}
    for path, blob in blobs.items():
        entries[path] = f"{_NEW_FILE} {blob}"
    for path in removed:
        entries[path] = _REMOVED
    changes: dict[str, dict[str, str]] = {"": {}}
    for path, entry in entries.items():
        folder, _, name = path.rpartition("/")
        of_folder = changes.setdefault(folder, {})
        of_folder[name] = entry
        while folder:
            folder, _, _ = folder.rpartition("/")
            changes.setdefault(folder, {})
    return changes


def _changed(present: dict[str, str], changes: dict[str, str]) -> dict[str, str]:
    """Return the entries of a folder with its changes."""
    merged = present | changes
    return {name: entry for name, entry in merged.items() if entry != _REMOVED}


def _by_depth(folders: Iterable[str]) -> dict[int, list[str]]:
    """Return folders by the number of folders from the root to them."""
    by_depth: dict[int, list[str]] = defaultdict(list)
    for folder in folders:
        depth = _depth(folder)
        by_depth[depth].append(folder)
    return by_depth


def _depth(folder: str) -> int:
    if not folder:
        return 0
    return folder.count("/") + 1


def _present(
    root: Path, tree: str, changed: Mapping[str, object]
) -> dict[str, dict[str, str]]:
    """Return the entries of those folders of a tree that change.

    Each is the mode, type and object that Git prints, by the name in the folder.
    """
    present = {}
    waiting = {"": tree}
    while waiting:
        folder, name = waiting.popitem()
        listed = {}
        listing = git_bytes(root, "ls-tree", "-z", "--full-tree", name)
        for line in listing.split(b"\0")[:-1]:
            text = line.decode(errors="surrogateescape")
            entry, own = text.split("\t", 1)
            listed[own] = entry
            path = own
            if folder:
                path = f"{folder}/{own}"
            if path in changed and entry.startswith(_NEW_FOLDER):
                _, _, tree_below = entry.rpartition(" ")
                waiting[path] = tree_below
        present[folder] = listed
    return present


def _make(root: Path, folders: Sequence[Mapping[str, str]]) -> list[str]:
    """Store folders in Git, and return the names of their trees."""
    trees = []
    for entries_by_name in folders:
        lines = [f"{entry}\t{name}\0" for name, entry in entries_by_name.items()]
        trees.append("".join(lines))
    # An empty record ends a tree, and begins the next one.
    stdin = "\0".join(trees).encode(errors="surrogateescape")
    # Objects that a partial clone does not have need not be fetched.
    output = git_bytes(root, "mktree", "-z", "--batch", "--missing", stdin=stdin)
    return output.decode().split()
