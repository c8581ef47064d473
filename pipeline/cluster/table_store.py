"""Tables as Parquet files that a training leaves for the workers of a cluster.

A file is named by its SHA-256, in a folder that all machines have under the same path
or in a bucket. The same table is written once, and a worker checks what it reads.
"""

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import pandas as pd

from core.errors import PipelineError
from core.files import replacing, sha256_file
from history import bucket_address
from history.bucket import Bucket
from pipeline.cluster.settings import TABLES_VARIABLE, is_bucket


@dataclass(frozen=True)
class StoredTable:
    """Where a table is.

    Attributes:
        store: the folder, or the address of the bucket.
        sha256: the digest of the file.
        types: the types of the columns, in their order.
    """

    store: str
    sha256: str
    types: tuple[str, ...]

    @property
    def name(self) -> str:
        """The name of the file."""
        return f"{self.sha256}.parquet"

    def __str__(self) -> str:
        return f"{self.store}/{self.name}"


class _Place(Protocol):
    """What a store can do with a file."""

    def write(self, name: str, file: Path) -> None:
        """Copy a file into the store, unless it is there."""
        ...

    def read(self, name: str, target: Path) -> None:
        """Copy a file of the store to a path."""
        ...


class _Folder:
    """A folder on a disk that all machines share."""

    def __init__(self, folder: str) -> None:
        self._folder = Path(folder)

    def write(self, name: str, file: Path) -> None:
        target = self._folder / name
        if target.is_file():
            return
        try:
            with replacing(target) as temporary:
                shutil.copyfile(file, temporary)
        except OSError as error:
            raise PipelineError(
                f"{self._folder} cannot be written ({error.strerror}): let this user"
                f" write there, or name another folder in {TABLES_VARIABLE}."
            ) from error

    def read(self, name: str, target: Path) -> None:
        source = self._folder / name
        try:
            shutil.copyfile(source, target)
        except OSError as error:
            raise PipelineError(
                f"a worker cannot read {source} ({error.strerror}): {TABLES_VARIABLE}"
                " must be the path of one shared folder on all machines."
            ) from error


class _Bucket:
    """A folder of a bucket."""

    def __init__(self, address: str) -> None:
        parsed = bucket_address.parse(address)
        self._bucket = Bucket(parsed)

    def write(self, name: str, file: Path) -> None:
        present = self._bucket.sizes(name)
        size = file.stat().st_size
        if present.get(name) != size:
            self._bucket.write(name, file)

    def read(self, name: str, target: Path) -> None:
        self._bucket.read(name, target)


def _open(store: str) -> _Place:
    if is_bucket(store):
        return _Bucket(store)
    return _Folder(store)


def save(table: pd.DataFrame, store: str) -> StoredTable:
    """Write a table into a store, unless it is there.

    Args:
        table: the table, with any index.
        store: a folder, or the address of a bucket.

    Raises:
        PipelineError: the store cannot be written.
    """
    types = tuple(str(kind) for kind in table.dtypes)
    with tempfile.TemporaryDirectory(prefix="mlops-") as folder:
        file = Path(folder) / "table.parquet"
        table.to_parquet(file)
        stored = StoredTable(store, sha256_file(file), types)
        _open(store).write(stored.name, file)
    return stored


def load(stored: StoredTable) -> pd.DataFrame:
    """Return a table as it was saved: values, types and index.

    Raises:
        PipelineError: the file cannot be read, or has other bytes.
    """
    with tempfile.TemporaryDirectory(prefix="mlops-") as folder:
        file = Path(folder) / "table.parquet"
        _open(stored.store).read(stored.name, file)
        actual = sha256_file(file)
        if actual != stored.sha256:
            raise PipelineError(
                f"{stored} is damaged (its SHA-256 is {actual}): delete it, and train"
                " again."
            )
        table = pd.read_parquet(file)
    types = dict(zip(table.columns, stored.types, strict=True))
    return table.astype(types)
