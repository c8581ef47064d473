"""The files that a sparse checkout leaves out: they are in Git, and not in the folder."""

from collections.abc import Iterator
from pathlib import Path

from core.counts import counted
from core.git import GitError, git
from history import gitlog, layout
from history.location import Location


class LeftOut:
    """Files that cannot be checked, because this checkout does not have them."""

    def __init__(self, location: Location, paths: frozenset[str]) -> None:
        self._location = location
        self._paths = paths

    @classmethod
    def of(cls, location: Location) -> "LeftOut":
        """Return those of a checkout; none if it is not sparse, or not in Git."""
        paths = frozenset[str]()
        if location.root.is_dir() and _is_sparse(location.root):
            paths = gitlog.left_out(location.root, location.owned)
        return cls(location, paths)

    def __len__(self) -> int:
        return len(self._paths)

    def __contains__(self, path: Path) -> bool:
        return self._location.relative(path) in self._paths

    def has_file(self, path: Path) -> bool:
        """Return whether a file is here or left out."""
        return path.is_file() or path in self

    def any_below(self, folder: Path) -> bool:
        """Return whether files below a folder are left out."""
        start = f"{self._location.relative(folder)}/"
        return any(path.startswith(start) for path in self._paths)

    def run_folders(self) -> Iterator[Path]:
        """Yield the folders of the runs whose `run.json` is left out."""
        for name in sorted(self._paths):
            path = self._location.root / name
            folder = path.parent
            is_run_file = path.name == layout.RUN_FILE
            if is_run_file and layout.RUN_ID.match(folder.name):
                yield folder

    def notice(self) -> str:
        """Return a sentence about what is not checked."""
        files = counted(len(self._paths), "file is", "files are")
        return (
            f"This checkout is sparse: {files} left out and cannot be checked;"
            " `git sparse-checkout disable` brings all."
        )


def _is_sparse(root: Path) -> bool:
    options = ("--type=bool", "--default=false", "--get")
    try:
        return git(root, "config", *options, "core.sparseCheckout") == "true"
    except GitError:
        return False
