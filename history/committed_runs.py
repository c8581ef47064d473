"""Which runs a tree in Git has, and where each lies."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from core.errors import PipelineError
from core.git_objects import Tree
from core.git_trees import Entry, entries, files_below, folder_of
from history import layout, runfile


class CommittedRuns:
    """The runs of a history in a tree.

    Attributes:
        places: the folder of each run in the tree, by run ID.
        days: the IDs of the runs in the folder of each day.
        other_files: the blobs of all files outside of runs, by path.
    """

    def __init__(self, tree: Tree, folder: str) -> None:
        """List the runs.

        Args:
            folder: the folder of the history in the tree.

        Raises:
            PipelineError: a run lies in two folders.
        """
        self.places: dict[str, str] = {}
        self.days: dict[str, list[str]] = {}
        self._tree = tree
        self._trees: dict[str, str] = {}  # the tree of each run, by run ID
        self.other_files = self._find(folder)

    def _find(self, folder: str) -> dict[str, str]:
        """Note where each run lies; return the blobs of the other files by path."""
        root = self._tree.root
        files: dict[str, str] = {}
        others: dict[str, str] = {}  # folders without runs
        top = folder_of(root, self._tree.name, folder)
        experiments: dict[str, str] = {}
        for entry in _entries(root, top, files):
            if _is_experiment(entry):
                experiments[entry.path] = entry.name
            else:
                others[entry.path] = entry.name
        days: dict[str, str] = {}
        for entry in _entries(root, experiments, files):
            name = _name_of(entry)
            if layout.DAY.match(name):
                days[entry.path] = entry.name
            else:
                others[entry.path] = entry.name
        for day in days:
            self.days[day] = []
        for entry in _entries(root, days, files):
            day, _, name = entry.path.rpartition("/")
            if layout.RUN_ID.match(name):
                self._add_place(day, name, entry)
            else:
                others[entry.path] = entry.name
        files_of_others = files_below(root, others)
        return files | files_of_others

    def _add_place(self, day: str, run_id: str, entry: Entry) -> None:
        other = self.places.setdefault(run_id, entry.path)
        if other != entry.path:
            raise layout.lies_twice(run_id, other, entry.path)
        self._trees[run_id] = entry.name
        self.days[day].append(run_id)

    def run_files(self, run_ids: Iterable[str]) -> Iterator[str]:
        """Yield the blob of the `run.json` of each committed run, in their order.

        Raises:
            PipelineError: a run has none.
        """
        trees = self.trees(run_ids)
        listings = entries(self._tree.root, trees)
        for place, files in zip(trees, listings, strict=True):
            path = f"{place}/{layout.RUN_FILE}"
            blobs = [entry.name for entry in files if entry.path == path]
            if not blobs:
                raise PipelineError(f"{path}: is not there; {runfile.RESTORE}.")
            yield blobs[0]

    def trees(self, run_ids: Iterable[str]) -> dict[str, str]:
        """Return the tree of each committed run by its folder."""
        trees = {}
        for run_id in run_ids:
            place = self.places[run_id]
            trees[place] = self._trees[run_id]
        return trees


def _entries(
    root: Path, folders: Mapping[str, str], files: dict[str, str]
) -> Iterator[Entry]:
    """Yield the folders in some folders, and note the files among them."""
    for listing in entries(root, folders):
        for entry in listing:
            if entry.is_folder:
                yield entry
            elif entry.is_file:
                files[entry.path] = entry.name


def _name_of(entry: Entry) -> str:
    _, _, name = entry.path.rpartition("/")
    return name


def _is_experiment(entry: Entry) -> bool:
    name = _name_of(entry)
    if name == layout.REGISTRY:
        return False
    return not name.startswith(".")
