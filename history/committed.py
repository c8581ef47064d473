"""A history that is read from Git, without a checkout, and added to in a folder.

Opening it lists the runs of each day; a run's own folder is read when it is needed.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from functools import cached_property
from pathlib import Path

from core.errors import PipelineError
from core.git_objects import Tree, read_blobs
from core.git_trees import files_below
from history import layout, queries, registry, runfile
from history.committed_runs import CommittedRuns
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
        self._runs = CommittedRuns(tree, location.name)
        self._places = self._runs.places
        self._made_days: set[str] = set()
        self._models: Mapping[str, Collection[str]] | None = None
        tree.write_files(self._runs.other_files, self.root)

    @cached_property
    def folders(self) -> dict[str, Path]:
        """The folder of each run by run ID, oldest first within each experiment."""
        folders = {}
        for run_id, place in self._places.items():
            folders[run_id] = self.root / place
        added = layout.run_folders(self.path)
        return folders | added

    def summaries(self, run_ids: Iterable[str] | None = None) -> Iterator[RunSummary]:
        """Yield the part of runs that reports show; see `History.summaries`.

        Raises:
            PipelineError: a file is damaged.
        """
        if run_ids is None:
            run_ids = self.folders
        chosen = list(run_ids)
        committed = [run_id for run_id in chosen if run_id in self._places]
        blobs = list(self._runs.run_files(committed))
        contents = read_blobs(self._tree.root, blobs)
        for run_id in chosen:
            path = self.folders[run_id] / layout.RUN_FILE
            if run_id in self._places:
                content = next(contents)
                yield runfile.parse_summary(path, content)
            else:
                yield runfile.load_summary(path)

    def newest(self, limit: int) -> list[Run]:
        """Return the newest runs of all experiments, newest first."""
        summaries = self.summaries()
        newest = sorted(summaries, key=queries.newest_first)
        return [self.run(summary.run_id) for summary in newest[:limit]]

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
        path = self.location.relative(folder)
        files = dict(self._tree.files(path))
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
        started = layout.time(run.started)
        date = started.date().isoformat()
        for day in self._runs.days.keys() - self._made_days:
            path = self.root / day
            is_of_experiment = path.parent.name == experiment
            if not is_of_experiment or layout.date(path) != date:
                continue
            self._made_days.add(day)
            for run_id in self._runs.days[day]:
                folder = path / run_id
                folder.mkdir(parents=True, exist_ok=True)

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
        if run_ids is None:
            run_ids = list(self.folders)
        for run_id in run_ids:
            if run_id in self._places:
                self._bring(self.folders[run_id])
        promoted = self._promoted_runs()
        trees = self._runs.trees(promoted)
        files = files_below(self._tree.root, trees)

        def has_file(path: Path) -> bool:
            if path.is_file():
                return True
            return self.location.relative(path) in files

        committed = Committed(self.folders, promoted, self._committed_models, has_file)
        return verify_additions(self.location, run_ids, committed)

    @property
    def _committed_models(self) -> dict[str, Collection[str]]:
        """The IDs of the models that each committed run lists, by run ID."""
        models: dict[str, Collection[str]] = {}
        if self._models is not None:
            for run_id in self._places:
                models[run_id] = self._models[run_id]
            return models
        for summary in self.summaries(self._places):
            model_ids = [model.model_id for model in summary.models]
            models[summary.run_id] = model_ids
        return models

    def _promoted_runs(self) -> dict[str, Run]:
        """Return the committed runs that were promoted, by run ID."""
        run_ids = set()
        registered = self.path / layout.REGISTRY
        for path in registered.glob("*/*.json"):
            with suppress(PipelineError):  # the check of the registry names it
                promotion = registry.load(path)
                run_ids.add(promotion.run_id)
        committed = run_ids & self._places.keys()
        self._bring_run_files(committed)
        return {run_id: self.run(run_id) for run_id in committed}

    def _bring_run_files(self, run_ids: Iterable[str]) -> None:
        """Write the `run.json` of each run to the disk, if it is in Git alone."""
        missing = []
        for run_id in run_ids:
            folder = self.root / self._places[run_id]
            run_file = folder / layout.RUN_FILE
            if not run_file.exists():
                missing.append(run_id)
        files = {}
        blobs = self._runs.run_files(missing)
        for run_id, blob in zip(missing, blobs, strict=True):
            place = self._places[run_id]
            files[f"{place}/{layout.RUN_FILE}"] = blob
        self._tree.write_files(files, self.root)
