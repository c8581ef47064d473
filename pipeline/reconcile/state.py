"""What the reconciler remembers: the release that it serves, and the one that failed."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from core.errors import PipelineError, first_fault
from core.files import to_json, write_atomic


class ServedRelease(BaseModel):
    """A release that became healthy: the commit that declares it, and the released one."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    declared: str
    released: str


class FailedRelease(BaseModel):
    """A release that did not become healthy, and why."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    declared: str
    reason: str


class State(BaseModel):
    """The content of `state.json`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    served: ServedRelease | None = None
    failed: FailedRelease | None = None

    @classmethod
    def read(cls, path: Path) -> "State":
        """Return the state in a file; an empty one if there is none.

        Raises:
            PipelineError: the file is damaged.
        """
        if not path.is_file():
            return cls()
        try:
            return cls.model_validate_json(path.read_bytes())
        except ValidationError as error:
            raise PipelineError(
                f"{path}: {first_fault(error)}; delete the file, and the declared"
                " release is checked and applied again."
            ) from error

    def write(self, path: Path) -> None:
        """Write the file, whole or not at all."""
        content = to_json(self.model_dump())
        write_atomic(path, content)
