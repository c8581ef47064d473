"""A history that is read from Git, without a checkout, and added to in a folder.

Opening it lists the runs of each day; a run's own folder is read when it is needed.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from functools import cached_property
from pathlib import Path

from core.errors import PipelineError
from core.git_objects import Tree, read_blobs
from core.git_trees import Entry, entries, files_below, folder_of
from history import layout, queries, registry, runfile
from history.faults import Fault
from history.history import History
from history.location import Location, Notice
from history.runfile import Run, RunSummary
from history.verify_additions import Committed, verify_additions


class CommittedHistory(History):
    """The history of a tree in Git, and what is added to it in a folder.

    The runs are read from Git. The folder holds the registry, what is added, and the
    files of those runs that were asked for; everything below it is as in a checkout.
    """

    def __init__(self, location: Location, tree: Tree) -> None:
        """Open the history of a tree.

        Args:
            location: a folder that does not exist yet, with the name that the history
                has in the tree.

        Raises:
            PipelineError: a run lies in two folders.
        """
        super().__init__(location)
        self._tree = tree
        self._run_trees: dict[str, str] = {}  # the tree of each run, by run ID
        self._places: dict[str, str] = {}  # the folder of each run in the tree
        self._days: dict[str, list[str]] = {}  # the runs of each day's folder
        self._made_days: set[str] = set()
        self._models: Mapping[str, Collection[str]] | None = None
        others = self._find_runs()
        tree.write_files(others, self.root)

    def _find_runs(self) -> dict[str, str]:
        """Note where each run lies; return the blobs of the other files by path."""
        root = self._tree.root
        files: dict[str, str] = {}
        others: dict[str, str] = {}  # folders without runs
        experiments: dict[str, str] = {}
        days: dict[str, str] = {}
        top = folder_of(root, self._tree.name, self.location.name)
        for entry in _entries(root, top, files):
            name = entry.path.rpartition("/")[2]
            is_experiment = name != layout.REGISTRY and not name.startswith(".")
            kind = experiments if is_experiment else others
            kind[entry.path] = entry.name
        for entry in _entries(root, experiments, files):
            name = entry.path.rpartition("/")[2]
            kind = days if layout.DAY.match(name) else others
            kind[entry.path] = entry.name
        for day in days:
            self._days[day] = []
        for entry in _entries(root, days, files):
            day, _, name = entry.path.rpartition("/")
            if layout.RUN_ID.match(name):
                self._add_place(day, name, entry)
            else:
                others[entry.path] = entry.name
        return files | files_below(root, others)

    def _add_place(self, day: str, run_id: str, entry: Entry) -> None:
        other = self._places.setdefault(run_id, entry.path)
        if other != entry.path:
            raise layout.lies_twice(run_id, other, entry.path)
        self._run_trees[run_id] = entry.name
        self._days[day].append(run_id)

    @cached_property
    def folders(self) -> dict[str, Path]:
        """The folder of each run by run ID, oldest first within each experiment."""
        folders = {}
        for run_id, place in self._places.items():
            folders[run_id] = self.root / place
        return folders | layout.run_folders(self.path)

    def summaries(self, run_ids: Iterable[str] | None = None) -> Iterator[RunSummary]:
        """Yield the part of runs that reports show; see `History.summaries`.

        Raises:
            PipelineError: a file is damaged.
        """
        chosen = list(self.folders if run_ids is None else run_ids)
        committed = [run_id for run_id in chosen if run_id in self._places]
        contents = read_blobs(self._tree.root, list(self._run_files(committed)))
        for run_id in chosen:
            path = self.folders[run_id] / layout.RUN_FILE
            if run_id in self._places:
                yield runfile.parse_summary(path, next(contents))
            else:
                yield runfile.load_summary(path)

    def _run_files(self, run_ids: Iterable[str]) -> Iterator[str]:
        """Yield the blob of the `run.json` of each committed run, in their order.

        Raises:
            PipelineError: a run has none.
        """
        trees = {self._places[run_id]: self._run_trees[run_id] for run_id in run_ids}
        listings = entries(self._tree.root, trees)
        for place, files in zip(trees, listings, strict=True):
            path = f"{place}/{layout.RUN_FILE}"
            blobs = [entry.name for entry in files if entry.path == path]
            if not blobs:
                raise PipelineError(f"{path}: is not there; {runfile.RESTORE}.")
            yield blobs[0]

    def newest(self, limit: int) -> list[Run]:
        """Return the newest runs of all experiments, newest first."""
        summaries = sorted(self.summaries(), key=queries.newest_first)
        return [self.run(summary.run_id) for summary in summaries[:limit]]

    def model_folder(self, run_id: str, model_id: str) -> Path:
        """Return the folder of a model's files, which are written there first."""
        folder = super().model_folder(run_id, model_id)
        self._bring(folder)
        return folder

    def _read(self, folder: Path) -> Run:
        run_id = folder.name
        if run_id in self._places:
            self._bring_run_files([run_id])
        return super()._read(folder)

    def _bring(self, folder: Path) -> None:
        """Write the committed files below a folder to the disk."""
        files = dict(self._tree.files(self.location.relative(folder)))
        self._tree.write_files(files, self.root)

    def add(self, run: Run, files: Mapping[str, Path] | None = None) -> Path:
        """Write a new run folder, whole or not at all, and return it.

        It lies where it would in a checkout, beside the other runs of its day; see
        `History.add`.
        """
        self._make_day(run)
        return super().add(run, files)

    def _make_day(self, run: Run) -> None:
        """Make the committed folders of a run's day: a full one gets no more runs."""
        experiment = layout.experiment_folder(run.experiment)
        date = layout.time(run.started).date().isoformat()
        for day in self._days.keys() - self._made_days:
            path = self.root / day
            if path.parent.name == experiment and layout.date(path) == date:
                self._made_days.add(day)
                for run_id in self._days[day]:
                    (path / run_id).mkdir(parents=True, exist_ok=True)

    def take_models_as_read(self, models: Mapping[str, Collection[str]]) -> None:
        """Let `verify` not read which models the committed runs list.

        Args:
            models: their IDs for each run ID.
        """
        self._models = models

    def verify(
        self, run_ids: Collection[str] | None = None, notice: Notice | None = None
    ) -> list[Fault]:
        """Check runs, all promotions, and the models in service.

        Of the other runs the summaries are read. Git is not asked for the past.

        Args:
            run_ids: the runs to check; all if it is None.
        """
        checked = list(self.folders) if run_ids is None else run_ids
        for run_id in checked:
            if run_id in self._places:
                self._bring(self.folders[run_id])
        promoted = self._promoted_runs()
        trees = {self._places[run_id]: self._run_trees[run_id] for run_id in promoted}
        files = files_below(self._tree.root, trees)

        def has_file(path: Path) -> bool:
            return path.is_file() or self.location.relative(path) in files

        committed = Committed(self.folders, promoted, self._committed_models, has_file)
        return verify_additions(self.location, checked, committed)

    @property
    def _committed_models(self) -> dict[str, Collection[str]]:
        """The IDs of the models that each committed run lists, by run ID."""
        models: dict[str, Collection[str]] = {}
        if self._models is not None:
            for run_id in self._places:
                models[run_id] = self._models[run_id]
            return models
        for summary in self.summaries(self._places):
            models[summary.run_id] = [model.model_id for model in summary.models]
        return models

    def _promoted_runs(self) -> dict[str, Run]:
        """Return the committed runs that were promoted, by run ID."""
        run_ids = set()
        for path in (self.path / layout.REGISTRY).glob("*/*.json"):
            with suppress(PipelineError):  # the check of the registry names it
                run_ids.add(registry.load(path).run_id)
        committed = run_ids & self._places.keys()
        self._bring_run_files(committed)
        return {run_id: self.run(run_id) for run_id in committed}

    def _bring_run_files(self, run_ids: Iterable[str]) -> None:
        """Write the `run.json` of each run to the disk, if it is in Git alone."""
        missing = []
        for run_id in run_ids:
            if not (self.root / self._places[run_id] / layout.RUN_FILE).exists():
                missing.append(run_id)
        files = {}
        for run_id, blob in zip(missing, self._run_files(missing), strict=True):
            files[f"{self._places[run_id]}/{layout.RUN_FILE}"] = blob
        self._tree.write_files(files, self.root)


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
