"""What is wrong with the history, said so that it can be mended."""

from collections.abc import Sequence
from typing import NamedTuple


class Fault(NamedTuple):
    """What is wrong with a file or folder, named from the repository's root."""

    file: str
    reason: str

    def __str__(self) -> str:
        return f"{self.file}: {self.reason}"


def listed(faults: Sequence[Fault], most: int = 3) -> str:
    """Return the first faults as one text, with the number of those that it leaves out."""
    named = "; ".join(str(fault) for fault in faults[:most])
    return f"{named} (and {len(faults) - most} more)" if len(faults) > most else named
