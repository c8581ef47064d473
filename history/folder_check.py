"""Checks the names of the entries of folders."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from history import layout, names
from history.faults import FaultList
from history.location import Location


class FolderCheck:
    """Lists folders and adds a fault for every entry that should not be there."""

    def __init__(self, location: Location, faults: FaultList) -> None:
        self._location = location
        self._fault = faults.add

    def expect(self, folder: Path, expected: Callable[[str], object]) -> list[Path]:
        """Return the entries whose names are expected; each other one is a fault.

        A folder that does not exist is empty.
        """
        entries = []
        if folder.is_dir():
            entries = sorted(os.listdir(folder))
        count = len(entries)
        most = layout.MOST_ENTRIES
        if count > most:
            reason = f"has {count} entries; at most {most} are allowed"
            self._fault(folder, reason)
        accepted = []
        for name in entries:
            path = folder / name
            if path.is_symlink():
                self._fault(path, "is a symbolic link")
            elif not expected(name):
                self._fault(path, "does not belong to the history: move it elsewhere")
            if expected(name):
                accepted.append(path)
        self.check_names(folder, entries)
        return accepted

    def check_names(self, folder: Path, entries: Sequence[str]) -> None:
        """Check that the entries of a folder can be checked out on every system."""
        for name in entries:
            path = folder / name
            relative = self._location.relative(path)
            reason = names.fault_of(name) or names.too_long(relative)
            if reason:
                self._fault(path, reason)
        pair = names.clash(entries)
        if pair:
            first, second = pair
            reason = f"is one file with {first} on Windows or macOS"
            self._fault(folder / second, reason)
