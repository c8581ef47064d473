"""Folders, compared by the files in them."""

from pathlib import Path


def files_below(folder: Path) -> dict[str, bytes]:
    """Return the content of every file below a folder, by its path there."""
    files = {}
    for path in folder.rglob("*"):
        if path.is_file():
            files[path.relative_to(folder).as_posix()] = path.read_bytes()
    return files
