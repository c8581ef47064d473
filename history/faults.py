"""The faults of a history, worded so that they can be mended."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from history.location import Location
from history.runfile import RESTORE


class Fault(NamedTuple):
    """A fault of a file or folder, which is named relative to the repository's root."""

    file: str
    reason: str

    def __str__(self) -> str:
        return f"{self.file}: {self.reason}"


class FaultList:
    """The faults that were found so far, in `entries`."""

    def __init__(self, location: Location) -> None:
        self.entries: list[Fault] = []
        self._location = location

    def add(self, path: Path, reason: object) -> None:
        """Add a fault; `reason` may be the error that reading the file raised.

        Such an error also names the file and this check, which the reader knows.
        """
        text = str(reason).removeprefix(f"{path}: ").removesuffix(f"; {RESTORE}.")
        self.entries.append(Fault(self._location.relative(path), text))


def listed(faults: Sequence[Fault], most: int = 3) -> str:
    """Return the first faults as one text, with the number of those left out."""
    named = "; ".join(str(fault) for fault in faults[:most])
    if len(faults) > most:
        return f"{named} (and {len(faults) - most} more)"
    return named
