"""What a history takes on disk."""

import os
from pathlib import Path

from core.git import git


def packed_bytes(folder: Path) -> int:
    """Return the size of the packs of a repository with one commit of a folder."""
    options = [
        "-c",
        "user.name=bench",
        "-c",
        "user.email=bench@example.org",
        "-c",
        "gc.auto=0",
    ]
    git(folder, *options, "init", "--quiet")
    git(folder, *options, "add", "--all", "mlruns")
    git(folder, *options, "commit", "--quiet", "--message", "bench")
    git(folder, *options, "gc", "--quiet")
    size = 0
    for pack in folder.glob(".git/objects/**/*.pack"):
        size += pack.stat().st_size
    return size


def files_in(folder: Path) -> int:
    """Count the files below a folder."""
    count = 0
    for _, _, files in os.walk(folder):
        count += len(files)
    return count


def fullest(folder: Path) -> int:
    """Return the number of entries of the folder that has most."""
    most = 0
    for _, folders, files in os.walk(folder):
        entries = len(folders) + len(files)
        most = max(most, entries)
    return most
