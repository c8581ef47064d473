"""Files in Git's database, read and written without a checkout.

The user's index and work tree are not involved, and no filter, attribute or ignore file
applies: Git stores the bytes of a file, and returns them.
"""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from core.errors import PipelineError
from core.git import git, git_bytes, succeeds

FILE_MODES = ("100644", "100755")
# How many files one call of Git reads: enough for its start not to matter, few enough
# for the memory.
_BATCH = 2000
# Sparse or split indexes are for the user's own index.
_SETTINGS = (
    "-c",
    "core.sparseCheckout=false",
    "-c",
    "index.sparse=false",
    "-c",
    "core.splitIndex=false",
)
_ENTRY = re.compile(rb"[^\0]+")
_PROMISOR = r"^remote\..*\.promisor$"


class Tree:
    """The files of a commit, or of a tree that no commit has yet."""

    def __init__(self, root: Path, name: str) -> None:
        """Name a tree.

        Args:
            root: the folder that Git runs in, the top of a checkout or a bare
                repository.
            name: a commit or a tree.
        """
        self.root = root
        self.name = name

    def files(self, folder: str) -> Iterator[tuple[str, str]]:
        """Yield the path and the blob of each file below a folder, sorted by path.

        Symbolic links and submodules are left out.
        """
        listing = ("ls-tree", "-r", "-z", "--full-tree", self.name, "--", f"{folder}/")
        output = git_bytes(self.root, *listing)
        for entry in _ENTRY.finditer(output):
            text = entry[0].decode(errors="surrogateescape")
            fields, path = text.split("\t", 1)
            mode, _, blob = fields.split(" ")
            if mode in FILE_MODES:
                yield path, blob

    def write_files(self, files: Mapping[str, str], folder: Path) -> None:
        """Write blobs as files below a folder.

        Args:
            files: the blob for each path.
        """
        contents = read_blobs(self.root, list(files.values()))
        for path, content in zip(files, contents, strict=True):
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)


class Index:
    """An index in a file of its own, in which a new tree is put together."""

    def __init__(self, root: Path, file: Path) -> None:
        """Use a file as the index; Git creates it."""
        self._root = root
        self._variables = {"GIT_INDEX_FILE": str(file)}

    def write(self) -> str:
        """Write the tree of the index, and return it."""
        # In a partial clone Git would otherwise fetch the other files of each folder.
        return self.git("write-tree", "--missing-ok")

    def git(self, *arguments: str, stdin: str | None = None) -> str:
        """Run Git with this index; see `core.git.git`."""
        command = (*_SETTINGS, *arguments)
        return git(self._root, *command, stdin=stdin, variables=self._variables)


def write_blobs(root: Path, files: Sequence[Path]) -> list[str]:
    """Store the bytes of files in Git, and return their blobs in the same order.

    Args:
        files: absolute paths without a line break.
    """
    command = ("hash-object", "-w", "--no-filters", "--stdin-paths")
    paths = [_seen_from(root.resolve(), file.resolve()) for file in files]
    return git(root, *command, stdin="\n".join(paths)).splitlines()


def _seen_from(root: Path, file: Path) -> str:
    """Return the path of a file as Git reads it in a folder, relative where it can be.

    A Git that is not Windows' own, such as WSL's, does not know the names of drives.
    """
    try:
        return Path(os.path.relpath(file, root)).as_posix()
    except ValueError:  # they are on different drives
        return file.as_posix()


def read_blobs(root: Path, blobs: Sequence[str]) -> Iterator[bytes]:
    """Yield the bytes of blobs, in their order.

    A partial clone fetches those that it lacks, many at a time.

    Raises:
        PipelineError: a blob is not in the repository.
    """
    if not blobs:
        return
    is_partial = succeeds(root, "config", "--get-regexp", _PROMISOR)
    for start in range(0, len(blobs), _BATCH):
        batch = blobs[start : start + _BATCH]
        names = "\n".join(batch).encode() + b"\n"
        if is_partial:
            # `cat-file` fetches one missing blob after the other, but a pack of them
            # all at once.
            git_bytes(root, "pack-objects", "--quiet", "--stdout", stdin=names)
        yield from contents(git_bytes(root, "cat-file", "--batch", stdin=names))


def contents(output: bytes) -> Iterator[bytes]:
    """Yield the bytes of each blob in what `git cat-file --batch` prints."""
    position = 0
    while position < len(output):
        end_of_header = output.index(b"\n", position)
        header = output[position:end_of_header].decode()
        name, *description = header.split(" ")
        if len(description) != 2:
            raise PipelineError(
                f"the object {name} is not in this Git repository: run `git fsck`, and"
                " fetch again or make a new clone."
            )
        size = int(description[1])
        start = end_of_header + 1
        end = start + size
        yield output[start:end]
        position = end + 1
