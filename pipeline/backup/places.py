"""Where the stack keeps what Git does not hold: folders here, or volumes of Docker."""

import sqlite3
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from core.errors import PipelineError
from pipeline.backup import folder_copy
from pipeline.backup.docker import FOLDER, Engine
from pipeline.repo import Repo

# The volumes of docker-compose.yml, in the order in which they are copied: files that
# a row of a database names are copied after the database.
VOLUMES = (
    "mlflow-database",
    "predictions",
    "serving",
    "grafana",
    "alertmanager",
    "prometheus",
    "mlflow-artifacts",
)
# Prometheus has files that only fit together as of one moment, so it is stopped.
STOPPED = {"prometheus": "prometheus"}
# Those of the profile scale, and what backs them up instead.
LEFT_OUT = {
    "postgres": "back it up by pg_dump",
    "artifacts": "copy the bucket by a program for S3",
}
ARTIFACTS = "artifacts"  # what notebooks log, in mlruns/.local


class Place(Protocol):
    """A folder that is part of a backup."""

    @property
    def name(self) -> str:
        """The name of its archive."""

    @property
    def where(self) -> str:
        """Where its files are: a folder, or a volume of Docker."""

    def exists(self) -> bool:
        """Return whether there is something to copy."""

    def is_empty(self) -> bool:
        """Return whether a backup can be restored there."""

    def pack(self, archive: Path) -> None:
        """Write the folder into an archive."""

    def unpack(self, archive: Path) -> None:
        """Write the files of an archive into the folder."""


@dataclass(frozen=True)
class LocalFolder:
    """A folder of this machine.

    Attributes:
        only: the names in it that belong to the place; all if it is empty.
    """

    name: str
    folder: Path
    only: tuple[str, ...] = ()

    @property
    def where(self) -> str:
        """The folder."""
        return str(self.folder)

    def exists(self) -> bool:
        """Return whether there is something to copy."""
        return not self.is_empty()

    def is_empty(self) -> bool:
        """Return whether a backup can be restored there."""
        return folder_copy.is_empty(self.folder, self.only)

    def pack(self, archive: Path) -> None:
        """Write the folder into an archive."""
        with archive.open("wb") as stream, self._one_sentence():
            folder_copy.pack(self.folder, stream, self.only)

    def unpack(self, archive: Path) -> None:
        """Write the files of an archive into the folder."""
        with archive.open("rb") as stream, self._one_sentence():
            folder_copy.unpack(self.folder, stream)

    @contextmanager
    def _one_sentence(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, tarfile.TarError) as error:
            raise PipelineError(f"{self.folder} cannot be copied: {error}.") from error


@dataclass(frozen=True)
class MountedFolder:
    """A volume of Docker, or a folder that containers write to as another user.

    Attributes:
        source: the volume's name, or the folder.
        is_volume: whether it is a volume.
        service: the service to stop while it is copied, if any.
    """

    name: str
    source: str
    engine: Engine
    is_volume: bool
    service: str | None = None

    @property
    def where(self) -> str:
        """The folder, or the volume of Docker."""
        return f"the volume {self.source}" if self.is_volume else self.source

    def exists(self) -> bool:
        """Return whether there is something to copy."""
        return not self.is_empty()

    def is_empty(self) -> bool:
        """Return whether a backup can be restored there."""
        if self.is_volume and not self.engine.has_volume(self.source):
            return True
        status = self.engine.run(self.source, "check", FOLDER)
        return status != folder_copy.NOT_EMPTY

    def pack(self, archive: Path) -> None:
        """Write the folder into an archive."""
        with archive.open("wb") as stream, self._stopped():
            self.engine.run(self.source, "pack", FOLDER, output=stream)

    def unpack(self, archive: Path) -> None:
        """Write the files of an archive into the folder."""
        if self.is_volume and not self.engine.has_volume(self.source):
            self.engine.create_volume(self.source)
        with archive.open("rb") as stream:
            self.engine.run(self.source, "unpack", FOLDER, source=stream)

    @contextmanager
    def _stopped(self) -> Iterator[None]:
        if self.service is None:
            yield
            return
        with self.engine.stopped(self.service):
            yield


def of_containers(repo: Repo) -> list[Place]:
    """Return the places of the stack in containers.

    Raises:
        PipelineError: Docker cannot be used, or has no image of the stack.
    """
    engine = Engine.find(repo.root)
    places: list[Place] = []
    for name in VOLUMES:
        volume = engine.volume(name)
        place = MountedFolder(name, volume, engine, True, STOPPED.get(name))
        places.append(place)
    local = repo.mlruns / ".local"
    if not local.is_dir():
        raise PipelineError(f"{local} is not there: run the command in a checkout.")
    places.append(MountedFolder(ARTIFACTS, str(local), engine, False))
    return places


def left_out(repo: Repo) -> list[str]:
    """Return a sentence for each volume that no backup has.

    Raises:
        PipelineError: Docker cannot be used, or has no image of the stack.
    """
    engine = Engine.find(repo.root)
    sentences = []
    for name, remedy in LEFT_OUT.items():
        volume = engine.volume(name)
        if engine.has_volume(volume):
            sentences.append(f"The volume {volume} is not in the backup: {remedy}.")
    return sentences


def of_processes(repo: Repo) -> list[Place]:
    """Return the places of the stack that runs without Docker.

    Prometheus cannot be copied while it runs, and is left out.
    """
    return [
        LocalFolder("mlflow-database", repo.build, ("mlflow.db",)),
        LocalFolder("predictions", repo.build, ("predictions.db",)),
        LocalFolder("serving", repo.build / "serving"),
        LocalFolder("grafana", repo.build / "grafana"),
        LocalFolder(ARTIFACTS, repo.mlruns / ".local"),
    ]
