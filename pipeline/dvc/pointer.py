"""The `.dvc` file of a table: what Git keeps in place of the table itself."""

import hashlib
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, Field, ValidationError

from core.errors import UsageError, first_fault
from pipeline.yaml_file import read_yaml

SUFFIX = ".dvc"
SHOWN_DIGITS = 12


class Pointer(BaseModel, frozen=True):
    """The MD5 and the size in bytes of the file that DVC keeps."""

    md5: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
    size: int = Field(ge=0)
    path: str


class _Content(BaseModel, frozen=True):
    """A whole `.dvc` file; other keys are DVC's own affair."""

    outs: list[Pointer] = Field(min_length=1, max_length=1)


def pointer_path(table: Path) -> Path:
    """Return where the `.dvc` file of a table would be."""
    return table.with_name(f"{table.name}{SUFFIX}")


def read(table: Path) -> Pointer | None:
    """Return what the `.dvc` file of a table names; None if there is no such file.

    Raises:
        UsageError: the file does not name this one table.
    """
    path = pointer_path(table)
    if not path.is_file():
        return None
    name = shown(path)
    try:
        content = _Content.model_validate(read_yaml(path, name))
    except ValidationError as error:
        raise UsageError(
            f"{name}: {first_fault(error)}: write it with `dvc add {shown(table)}`."
        ) from error
    pointer = content.outs[0]
    if pointer.path != table.name:
        raise UsageError(
            f"{name}: it names {pointer.path}: write it with `dvc add {shown(table)}`."
        )
    return pointer


def is_kept(table: Path) -> bool:
    """Return whether a file is a table with the content that its `.dvc` file names.

    Raises:
        UsageError: the `.dvc` file is damaged.
    """
    pointer = read(table)
    return pointer is not None and md5_file(table) == pointer.md5


def md5_file(path: Path) -> str:
    """Return the MD5 of a file, by which DVC names its content."""
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, _new_md5)
    return digest.hexdigest()


def shown(path: Path) -> str:
    """Return the path of a file in `data/` as an error names it."""
    return f"{path.parent.name}/{path.name}"


def _new_md5() -> "hashlib._Hash":
    # It names content and protects nothing, so a FIPS build of Python allows it.
    return hashlib.md5(usedforsecurity=False)
