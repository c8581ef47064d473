"""`course watch`: check a lesson again whenever a file of the copy changes.

The times of the files are compared each second. Systems that announce changes do not do so
for folders that are shared with a container, a virtual machine or WSL.
"""

import os
import time
from pathlib import Path

from rich.console import Console

from course import check, lesson, show
from course.copy import Copy
from course.lesson import Lesson

SECONDS = 1.0
# Written by programs, and never by the student.
IGNORED = {"build", "logs", "mlruns", "__pycache__", ".nox", ".venv", "node_modules"}
Times = dict[str, tuple[int, int]]


def watch(copy: Copy, number: int | None) -> None:
    """Check a lesson now and after each change, until the user stops it.

    Args:
        copy: the copy.
        number: the lesson; None follows the first that is not done.
    """
    console = Console(stderr=True, highlight=False)
    while True:
        before = times(copy.root)
        current = copy.at(copy.root)  # nothing is remembered from the last time
        if number is None:
            chosen = _first(current)
        else:
            chosen = lesson.get(number)
        with console.status(f"checking lesson {chosen.number}"):
            results = check.run_all(chosen.checks, current, lambda _: None)
        show.show(chosen, results)
        console.print("Waiting for a change. Ctrl-C ends.", style="dim")
        while times(copy.root) == before:
            time.sleep(SECONDS)


def times(root: Path) -> Times:
    """Return time and size of each file that people write, and of Git's branches."""
    listed = _times_below(root, IGNORED | {".git"})
    for path in (".git/HEAD", ".git/logs/HEAD"):
        file = root / path
        if file.is_file():
            state = file.stat()
            listed[path] = (state.st_mtime_ns, state.st_size)
    return listed


def _times_below(root: Path, ignored: set[str]) -> Times:
    listed = {}
    for folder, folders, files in os.walk(root):
        folders[:] = [name for name in folders if name not in ignored]
        for name in files:
            path = os.path.join(folder, name)
            try:
                state = os.stat(path)
            except OSError:
                continue  # it was removed meanwhile
            listed[path] = (state.st_mtime_ns, state.st_size)
    return listed


def _first(copy: Copy) -> Lesson:
    """Return the first lesson that is not done; the last if all are."""
    lessons = lesson.every()
    for each in lessons:
        results = check.run_all(each.checks, copy, lambda _: None)
        if show.status(results):
            return each
    return lessons[-1]
