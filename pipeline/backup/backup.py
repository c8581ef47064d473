"""`pipeline backup` and `pipeline restore-backup`."""

import os
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from core.errors import PipelineError, UsageError
from core.files import emptied, sha256_file, to_json, write_atomic
from core.git import git
from history.location import Notice
from history.record import Record, Sha256
from pipeline.backup.places import Place
from pipeline.repo import Repo

CONTENTS = "backup.json"


class Archive(Record):
    """One archive of a backup; `size` is in bytes."""

    sha256: Sha256
    size: int = Field(ge=0)


class Contents(Record):
    """What a backup holds, in its `backup.json`, which is written last.

    Attributes:
        created: the UTC time at which it began.
        commit: the one that was checked out.
        archives: by the name of the place; each is the file `NAME.tar`.
    """

    format: Literal[1]
    created: str
    commit: str
    archives: dict[str, Archive]


def make(repo: Repo, places: Sequence[Place], target: Path, notice: Notice) -> Contents:
    """Copy all places that have something into a new folder, whole or not at all.

    Args:
        target: a folder that is empty or does not exist.
        notice: called with a sentence for each place.

    Raises:
        UsageError: the folder has files, or there is nothing to back up.
        PipelineError: a place cannot be copied, or there is no commit yet.
    """
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise UsageError(f"{target} is not empty: name a new folder for the backup.")
    present = [place for place in places if place.exists()]
    if not present:
        raise UsageError(
            "there is nothing to back up: no stack has been started from this checkout."
        )
    created = datetime.now(UTC).isoformat(timespec="seconds")
    commit = git(repo.root, "rev-parse", "HEAD")
    archives = {}
    with emptied(target.with_name(f"{target.name}.part")) as folder:
        folder.chmod(0o700)  # it holds what users logged, and their passwords' hashes
        for place in present:
            archive = _archive(folder, place.name)
            place.pack(archive)
            size = archive.stat().st_size
            archives[place.name] = Archive(sha256=sha256_file(archive), size=size)
            notice(f"{place.name}: {size / 1e6:,.1f} MB")
        contents = Contents(
            format=1,
            created=created,
            commit=commit,
            archives=archives,
        )
        write_atomic(folder / CONTENTS, to_json(contents.model_dump()))
        with suppress(FileNotFoundError):
            target.rmdir()
        os.replace(folder, target)
    return contents


def read(source: Path) -> Contents:
    """Return what a backup holds, after each archive was checked.

    Raises:
        UsageError: there is no backup.
        PipelineError: it is of a later version, or an archive was damaged.
    """
    path = source / CONTENTS
    if not path.is_file():
        raise UsageError(f"{source} is no backup: it has no {CONTENTS}.")
    try:
        contents = Contents.model_validate_json(path.read_bytes())
    except ValidationError as error:
        raise PipelineError(
            f"{path} cannot be read: it was changed, or is of a later version of this"
            " program."
        ) from error
    for name, archive in contents.archives.items():
        file = _archive(source, name)
        is_same = file.is_file() and sha256_file(file) == archive.sha256
        if not is_same:
            raise PipelineError(
                f"{file} is not the file that was backed up: use another backup."
            )
    return contents


def restore(places: Sequence[Place], source: Path, notice: Notice) -> Contents:
    """Write a backup into the places of a stack that has nothing there.

    Args:
        notice: called with a sentence for each place.

    Raises:
        UsageError: there is no backup, a place has files already, or the backup has one
            that this stack does not have.
        PipelineError: the backup was damaged, or cannot be written.
    """
    contents = read(source)
    by_name = {place.name: place for place in places}
    unknown = contents.archives.keys() - by_name.keys()
    if unknown:
        raise UsageError(
            f"this stack has no place for {', '.join(sorted(unknown))}: a backup of"
            " containers is restored into containers, and one with --local with --local."
        )
    chosen = [place for place in places if place.name in contents.archives]
    for place in chosen:
        if not place.is_empty():
            raise UsageError(
                f"{place.name} has files already, in {place.where}: a backup is restored"
                " into an empty stack only. `docker compose --profile '*' down --volumes`"
                " deletes the volumes of this stack; a folder is yours to delete."
            )
    for place in chosen:
        place.unpack(_archive(source, place.name))
        notice(f"{place.name} is restored")
    return contents


def _archive(folder: Path, name: str) -> Path:
    return folder / f"{name}.tar"
