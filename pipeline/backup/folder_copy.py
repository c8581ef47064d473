"""Copies a folder into a tar archive and back; each SQLite database as of one moment.

The standard library is enough: a container without our packages runs this file, too.
"""

import os
import sqlite3
import stat
import sys
import tarfile
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import IO
from urllib.parse import quote

NOT_EMPTY = 3  # the exit status of `check`
PLACEHOLDER = ".gitkeep"  # keeps a folder in Git, and counts as nothing
_HEADER = b"SQLite format 3\0"
# What SQLite keeps beside a database; it is part of the copy already.
_COMPANIONS = ("-wal", "-shm", "-journal")
_WAIT_SECONDS = 60.0


def pack(folder: Path, target: IO[bytes], only: Sequence[str] = ()) -> None:
    """Write a folder into an archive, while other processes write to it.

    A database is copied by SQLite. Other files are copied afterwards, so that those
    that a row names are there; a file that disappears meanwhile is left out.

    Args:
        only: names in the folder that are copied; all if it is empty.

    Raises:
        OSError: a file cannot be read.
        sqlite3.Error: a database cannot be copied.
    """
    paths = list(_below(folder, only))
    databases = {path for path in paths if _is_database(path)}
    folders = [path for path in paths if path.is_dir()]
    files = []
    for path in paths:
        is_companion = any(
            path.name.endswith(ending)
            and path.with_name(path.name.removesuffix(ending)) in databases
            for ending in _COMPANIONS
        )
        if path.is_file() and path not in databases and not is_companion:
            files.append(path)
    with tarfile.open(fileobj=target, mode="w|") as archive:
        archive.add(folder, ".", recursive=False)
        for path in folders:
            with suppress(FileNotFoundError):
                archive.add(path, _name(path, folder), recursive=False)
        for path in sorted(databases):
            _add_database(archive, path, _name(path, folder))
        for path in files:
            _add_file(archive, path, _name(path, folder))


def unpack(folder: Path, source: IO[bytes]) -> None:
    """Write the files of an archive into a folder, with their owners if this is root.

    Raises:
        OSError: a file cannot be written.
        tarfile.TarError: it is not an archive, or has a file outside the folder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with tarfile.open(fileobj=source, mode="r|") as archive:
        archive.extractall(folder, numeric_owner=True, filter="tar")


def is_empty(folder: Path, only: Sequence[str] = ()) -> bool:
    """Return whether a folder has none of the files that an archive would write."""
    for path in folder.glob("*"):
        if path.name != PLACEHOLDER and (not only or path.name in only):
            return False
    return True


def _below(folder: Path, only: Sequence[str]) -> Iterator[Path]:
    """Yield everything below a folder, sorted; links and sockets are left out."""
    for path in sorted(folder.iterdir()):
        if only and path.name not in only:
            continue
        try:
            mode = path.lstat().st_mode
        except FileNotFoundError:
            continue
        if stat.S_ISDIR(mode):
            yield path
            with suppress(FileNotFoundError):
                yield from _below(path, ())
        elif stat.S_ISREG(mode) and path.name != PLACEHOLDER:
            yield path


def _name(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix()


def _is_database(path: Path) -> bool:
    try:
        with path.open("rb") as stream:
            return stream.read(len(_HEADER)) == _HEADER
    except OSError:
        return False


def _add_database(archive: tarfile.TarFile, path: Path, name: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o777)
        copy = Path(folder, "copy")
        try:
            with _as_owner(path):
                _copy_database(path, copy)
        except sqlite3.DatabaseError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_NOTADB:
                raise
            _add_file(archive, path, name)  # it only begins like one
            return
        member = archive.gettarinfo(path, name)
        member.size = copy.stat().st_size
        with copy.open("rb") as stream:
            archive.addfile(member, stream)


def _copy_database(path: Path, copy: Path) -> None:
    address = f"file:{quote(path.as_posix())}?mode=rw"
    source = sqlite3.connect(address, uri=True, timeout=_WAIT_SECONDS)
    with closing(source), closing(sqlite3.connect(copy)) as target:
        source.backup(target)


@contextmanager
def _as_owner(path: Path) -> Iterator[None]:
    """Let root be a file's owner for a moment, so that SQLite's files beside it are."""
    geteuid: Callable[[], int] | None = getattr(os, "geteuid", None)
    if geteuid is None or geteuid() != 0:
        yield
        return
    owner = path.stat()
    os.setegid(owner.st_gid)
    os.seteuid(owner.st_uid)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)


def _add_file(archive: tarfile.TarFile, path: Path, name: str) -> None:
    try:
        stream = path.open("rb")
    except FileNotFoundError:
        return
    with stream:
        member = archive.gettarinfo(arcname=name, fileobj=stream)
        archive.addfile(member, stream)  # as many bytes as it had a moment ago


def main(arguments: Sequence[str]) -> int:
    """Run `pack`, `unpack` or `check` for a folder; return the exit status."""
    action, name, *only = arguments
    folder = Path(name)
    try:
        if action == "pack":
            pack(folder, sys.stdout.buffer, only)
        elif action == "unpack":
            unpack(folder, sys.stdin.buffer)
        elif not is_empty(folder, only):
            return NOT_EMPTY
    except (OSError, sqlite3.Error, tarfile.TarError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
