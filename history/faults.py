"""The faults of a history, each with a reason that helps to repair it."""

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
    """Collects faults in `entries`."""

    def __init__(self, location: Location) -> None:
        self.entries: list[Fault] = []
        self._location = location

    def add(self, path: Path, reason: object) -> None:
        """Add a fault; `reason` may be the error that reading the file raised.

        Its text begins with the file and ends with the advice to verify the history:
        neither is repeated.
        """
        text = str(reason)
        text = text.removeprefix(f"{path}: ")
        text = text.removesuffix(f"; {RESTORE}.")
        file = self._location.relative(path)
        self.entries.append(Fault(file, text))


def listed(faults: Sequence[Fault], most: int = 3) -> str:
    """Return the first faults as one text, with the number of those left out."""
    first = "; ".join(map(str, faults[:most]))
    others = len(faults) - most
    if others > 0:
        return f"{first} (and {others} more)"
    return first
