"""What the records of a history are made of: identifiers, digests and files."""

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, Field
from pydantic_core import PydanticCustomError

from core.files import sha256_file
from history import names

RunId = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
ModelId = Annotated[str, Field(pattern=r"^m-[0-9a-f]{32}$")]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
FILE_NAME = "file_name"  # the type of the errors that the validators of paths raise


def _portable(path: str) -> str:
    reason = names.fault_of(path)
    if reason:
        raise PydanticCustomError(
            FILE_NAME, "{path} {reason}", {"path": repr(path), "reason": reason}
        )
    return path


# Slash-separated, relative, and fit for every system: see `names.fault_of`.
RelativePath = Annotated[str, AfterValidator(_portable)]


class Record(BaseModel, extra="forbid", frozen=True, ser_json_inf_nan="strings"):
    """The base of all parts of the format: frozen, and unknown keys are errors."""


class Artifact(Record):
    """A file of a run or a model.

    `path` is relative to the folder of its owner, `size` in bytes.
    """

    path: RelativePath
    sha256: Sha256
    size: int = Field(ge=0)

    def is_content_of(self, path: Path) -> bool:
        """Return whether a file has this size and digest."""
        if path.stat().st_size != self.size:
            return False
        return sha256_file(path) == self.sha256


def _distinct(artifacts: list[Artifact]) -> list[Artifact]:
    pair = names.clash(artifact.path for artifact in artifacts)
    if pair:
        one, other = pair
        raise PydanticCustomError(
            FILE_NAME,
            "{one} and {other} are one file on Windows or macOS",
            {"one": repr(one), "other": repr(other)},
        )
    return artifacts


Artifacts = Annotated[list[Artifact], AfterValidator(_distinct)]
