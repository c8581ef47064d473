"""Checks the names of what lies in a folder of the history."""

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
        """Return what is in a folder and named as expected; the rest is a fault.

        A folder that does not exist is empty.
        """
        entries = sorted(os.listdir(folder)) if folder.is_dir() else []
        if len(entries) > layout.MOST_ENTRIES:
            self._fault(
                folder,
                f"has {len(entries)} entries; at most {layout.MOST_ENTRIES} are"
                " allowed",
            )
        for name in entries:
            if (folder / name).is_symlink():
                self._fault(folder / name, "is a symbolic link")
            elif not expected(name):
                self._fault(
                    folder / name, "does not belong to the history: move it elsewhere"
                )
        self.check_names(folder, entries)
        return [folder / name for name in entries if expected(name)]

    def check_names(self, folder: Path, entries: Sequence[str]) -> None:
        """Check that the entries of a folder can be checked out on every system."""
        for name in entries:
            path = self._location.relative(folder / name)
            reason = names.fault_of(name) or names.too_long(path)
            if reason:
                self._fault(folder / name, reason)
        pair = names.clash(entries)
        if pair:
            self._fault(
                folder / pair[1], f"is one file with {pair[0]} on Windows or macOS"
            )
