"""A backup in a bucket of an S3 store, made and read through a folder of this machine."""

import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.errors import UsageError
from history import bucket_address
from history.bucket import Bucket
from pipeline.backup.backup import CONTENTS

SCHEME = "s3://"
# The files of a backup. A key of the store may have any other name.
_FILE = re.compile(r"[\w-]+\.(?:tar|json)")


class BackupBucket:
    """A prefix in a bucket that holds one backup, or is to hold one."""

    def __init__(self, address: str) -> None:
        """Name a place such as `s3://backups/2026-11-29`.

        Raises:
            UsageError: it is no address of a bucket.
            PipelineError: boto3 is not installed, or its settings are wrong.
        """
        self._bucket = Bucket(bucket_address.parse(address))

    def require_empty(self) -> None:
        """Check that a backup can be written there.

        Raises:
            UsageError: there are files.
            PipelineError: the store does not answer, or refuses.
        """
        if self._bucket.sizes():
            raise UsageError(
                f"{self._bucket.address} has files already: name a new prefix for the"
                " backup."
            )

    def upload(self, folder: Path) -> None:
        """Copy a backup into the bucket; `backup.json` comes last.

        Raises:
            PipelineError: the store does not answer, or refuses.
        """
        for file in sorted(folder.iterdir(), key=_contents_last):
            self._bucket.upload(file.name, file)

    @contextmanager
    def downloaded(self) -> Iterator[Path]:
        """Yield a folder with the files of a backup, which is removed after the block.

        Raises:
            UsageError: there is no backup.
            PipelineError: the store does not answer, or refuses.
        """
        names = list(filter(_FILE.fullmatch, self._bucket.sizes()))
        if CONTENTS not in names:
            address = self._bucket.address
            raise UsageError(f"{address} is no backup: it has no {CONTENTS}.")
        with tempfile.TemporaryDirectory(prefix="mlops-") as folder:
            for name in names:
                self._bucket.read(name, Path(folder, name))
            yield Path(folder)


def _contents_last(file: Path) -> tuple[bool, str]:
    return file.name == CONTENTS, file.name
