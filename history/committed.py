"""A history that is read from Git, without a checkout, and added to in a folder."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from functools import cached_property
from pathlib import Path

from core.errors import PipelineError
from core.git_objects import Tree, read_blobs
from history import layout, queries, registry, runfile
from history.faults import Fault
from history.history import History, Notice
from history.location import Location
from history.runfile import Run, RunSummary
from history.verify_additions import Committed, verify_additions

# The parts of the path of a file in a run's folder, beginning with `mlruns`.
_EXPERIMENT = 1
_RUN_ID = 3
_IN_RUN = 4


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
        self._places: dict[str, str] = {}  # the folder of each run in the tree
        self._files: dict[str, str] = {}  # the blobs of the runs and of their models
        self._days: dict[str, list[str]] = defaultdict(list)  # the runs of each day
        others: dict[str, str] = {}
        for path, blob in tree.files(location.name):
            parts = path.split("/")
            if len(parts) <= _IN_RUN:
                others[path] = blob
            elif parts[_IN_RUN] != layout.ARTIFACTS:
                self._files[path] = blob
                self._add_place(parts)
        tree.write_files(others, self.root)

    def _add_place(self, parts: list[str]) -> None:
        """Note where a run lies, if the path is that of its `run.json`."""
        run_id = parts[_RUN_ID]
        is_run_file = parts[_IN_RUN:] == [layout.RUN_FILE]
        if not is_run_file or not layout.RUN_ID.match(run_id):
            return
        day = "/".join(parts[:_RUN_ID])
        place = f"{day}/{run_id}"
        other = self._places.setdefault(run_id, place)
        if other != place:
            raise layout.lies_twice(run_id, other, place)
        self._days[day].append(run_id)

    @cached_property
    def folders(self) -> dict[str, Path]:
        """The folder of each run by run ID, oldest first within each experiment."""
        folders = {}
        for run_id, place in self._places.items():
            folders[run_id] = self.root / place
        return folders | layout.run_folders(self.path)

    def summaries(self) -> Iterator[RunSummary]:
        """Yield the part of every run that reports show; the added ones come last.

        Raises:
            PipelineError: a file is damaged.
        """
        yield from self._committed_summaries
        for run_id, folder in self.folders.items():
            if run_id not in self._places:
                yield runfile.load_summary(folder / layout.RUN_FILE)

    @cached_property
    def _committed_summaries(self) -> list[RunSummary]:
        paths = []
        for place in self._places.values():
            paths.append(f"{place}/{layout.RUN_FILE}")
        contents = read_blobs(self._tree.root, [self._files[path] for path in paths])
        summaries = []
        for path, content in zip(paths, contents, strict=True):
            summary = runfile.parse_summary(self.root / path, content)
            summaries.append(summary)
        return summaries

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
        for day in list(self._days):
            path = self.root / day
            if path.parent.name == experiment and layout.date(path) == date:
                for run_id in self._days.pop(day):
                    (path / run_id).mkdir(parents=True, exist_ok=True)

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
        committed = Committed(
            folders=self.folders,
            runs=self._promoted_runs(),
            summaries=self._committed_summaries,
            has_file=self._has_file,
        )
        return verify_additions(self.location, checked, committed)

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
        files = {}
        for run_id in run_ids:
            name = f"{self._places[run_id]}/{layout.RUN_FILE}"
            if not (self.root / name).exists():
                files[name] = self._files[name]
        self._tree.write_files(files, self.root)

    def _has_file(self, path: Path) -> bool:
        """Return whether a file is in the folder or the tree."""
        return path.is_file() or self.location.relative(path) in self._files
