"""Extracts one file of a tar or zip archive."""

import shutil
import tarfile
import zipfile
from pathlib import Path
from typing import IO


def extract(archive: Path, member: str, folder: Path) -> Path:
    """Write a member of a tar or zip archive into a folder, and return its path there.

    Raises:
        ValueError: the file is not an archive, or has no such member.
    """
    target = folder / "member"
    try:
        if zipfile.is_zipfile(archive):
            with zipfile.ZipFile(archive) as packed:
                with packed.open(member) as source:
                    return _copied(source, target)
        with tarfile.open(archive) as tar:
            content = tar.extractfile(member)
            if content is None:
                raise ValueError(f"{member} in the archive is not a file")
            return _copied(content, target)
    except KeyError as error:
        raise ValueError(f"does not contain {member}") from error
    except (tarfile.TarError, zipfile.BadZipFile, EOFError, OSError) as error:
        raise ValueError("is not a complete tar or zip archive") from error


def _copied(source: IO[bytes], target: Path) -> Path:
    with target.open("wb") as file:
        shutil.copyfileobj(source, file)
    return target
