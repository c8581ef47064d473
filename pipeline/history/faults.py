"""What is wrong with the history, said so that it can be mended."""

from typing import NamedTuple


class Fault(NamedTuple):
    """What is wrong with a file or folder, named from the repository's root."""

    file: str
    reason: str

    def __str__(self) -> str:
        return f"{self.file}: {self.reason}"
