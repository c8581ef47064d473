"""The folder of run files as one object: open it, read it, add to it, check it.

The folders below it are listed once, when they are first needed; every run is read when
it is requested. Additions by this object are seen; for those of another process,
open the history again.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Self

from core.errors import UsageError
from core.files import write_atomic
from history import additions, layout, queries, registry, runfile
from history.faults import Fault
from history.location import Location, Notice, Project
from history.lock import write_lock
from history.registry import Promotion
from history.runfile import Run, RunSummary
from history.verify import verify


class History:
    """MLflow runs and promotions as files; `History.open` returns one."""

    def __init__(self, location: Location) -> None:
        self.location = location
        self._promotions: dict[str, list[Promotion]] = {}

    @classmethod
    def open(cls, path: Path | str, project: Project | None = None) -> Self:
        """Open the history in a folder; one that does not exist is an empty history.

        Args:
            path: the folder of the history, usually `mlruns`.
            project: the repository around it, if more of it belongs to the history.
        """
        folder = Path(path).resolve()
        return cls(Location(folder, project or Project()))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Forget what was read."""
        self.refresh()

    def refresh(self) -> None:
        """Forget what was read, so that what another process added is seen."""
        self._promotions.clear()
        self.__dict__.pop("folders", None)

    @property
    def path(self) -> Path:
        """The folder of the history, as an absolute path."""
        return self.location.path

    @property
    def root(self) -> Path:
        """The folder above the history, usually the repository's root."""
        return self.location.root

    @cached_property
    def folders(self) -> dict[str, Path]:
        """The folder of each run by run ID, oldest first within each experiment.

        Raises:
            PipelineError: a run lies in two folders.
        """
        return layout.run_folders(self.path)

    def __len__(self) -> int:
        return len(self.folders)

    def __contains__(self, run_id: object) -> bool:
        return run_id in self.folders

    def runs(self, experiment: str | None = None) -> Iterator[Run]:
        """Yield the runs, or those of one experiment, the oldest first in each.

        Each is read when the iteration comes to it.

        Raises:
            PipelineError: a file is damaged.
        """
        for folder in self.folders.values():
            if experiment is not None:
                name = folder.parent.parent.name
                if not layout.is_experiment_folder(name, experiment):
                    continue
            yield self._read(folder)

    def summaries(self, run_ids: Iterable[str] | None = None) -> Iterator[RunSummary]:
        """Yield the part of runs that reports show, in the order of `runs`.

        Args:
            run_ids: yield those of these runs, in this order.

        Raises:
            PipelineError: a file is damaged.
        """
        if run_ids is None:
            run_ids = self.folders
        for run_id in run_ids:
            path = self.folders[run_id] / layout.RUN_FILE
            yield runfile.load_summary(path)

    def newest(self, limit: int) -> list[Run]:
        """Return the newest runs of all experiments, newest first.

        Only the days that are needed are read.
        """
        return queries.newest(self.path, limit)

    def run(self, run_id: str) -> Run:
        """Return the run with this ID, or the only one whose ID starts with it.

        Raises:
            UsageError: there is no such run, or more than one.
            PipelineError: the file is damaged.
        """
        folder = self.folder(run_id)
        return self._read(folder)

    def _read(self, folder: Path) -> Run:
        """Read the run in a folder."""
        return runfile.load(folder / layout.RUN_FILE)

    def folder(self, run_id: str) -> Path:
        """Return the folder of the run with this ID, or whose ID starts with it.

        Raises:
            UsageError: there is no such run, or more than one.
        """
        if run_id not in self.folders:
            run_id = queries.match(run_id, self.folders)
        return self.folders[run_id]

    def model_folder(self, run_id: str, model_id: str) -> Path:
        """Return the folder of the files of a model that a run logged.

        It does not exist if the model's files were not kept.
        """
        folder = self.folder(run_id)
        return folder / layout.MODELS / model_id

    def models(self) -> list[str]:
        """Return the names of the registered models."""
        return registry.models(self.path)

    def promotions(self, model: str) -> list[Promotion]:
        """Return the promotions of a registered model, oldest first.

        Raises:
            PipelineError: a file is damaged or missing.
        """
        if model not in self._promotions:
            self._promotions[model] = registry.versions(self.path, model)
        return list(self._promotions[model])

    def champion(self, model: str) -> Promotion | None:
        """Return the newest promotion of a registered model, or None before the first.

        Raises:
            PipelineError: a file is damaged or missing.
        """
        promotions = self.promotions(model)
        if promotions:
            return promotions[-1]
        return None

    def add(self, run: Run, files: Mapping[str, Path] | None = None) -> Path:
        """Write a new run folder, whole or not at all, and return it.

        Of two processes that write into a history, one waits for the other.

        Args:
            files: the file to copy for each path below the run's folder, such as
                `artifacts/plot.png` or `models/<model_id>/model.onnx`. They must be
                the files that the run lists; those of a logged model may be left out
                together.

        Raises:
            UsageError: the run is in the history already, or a file is missing, is not
                listed or differs from what the run lists.
        """
        if run.run_id in self:
            raise additions.already_added(run.run_id)
        folder = additions.add(self.path, run, files or {})
        self.folders[run.run_id] = folder
        return folder

    def promote(self, promotion: Promotion, files: Path | None = None) -> Path:
        """Write the next version of a registered model and return its file.

        Args:
            files: the folder with the model's files; they are kept with the model's
                run unless they are there already.

        Raises:
            UsageError: it is not the next version, or its run is not in the history.
        """
        model = promotion.model
        with write_lock(self.path):
            # A version is written once: read again what others may have promoted.
            self._promotions.pop(model, None)
            self._check_promotion(promotion)
            if files:
                kept = self.model_folder(promotion.run_id, promotion.model_id)
                additions.add_model(self.path, files, kept)
            path = registry.path_of(self.path, model, promotion.version)
            write_atomic(path, registry.dump(promotion))
            self._promotions[model].append(promotion)
        return path

    def _check_promotion(self, promotion: Promotion) -> None:
        """Refuse a version that is not the next one, or whose run is not here."""
        model = promotion.model
        version = promotion.version
        champion = self.champion(model)
        expected = champion.version + 1 if champion else 1
        if version != expected:
            raise UsageError(
                f"version {version} of {model} cannot be added: the next one is version"
                f" {expected}."
            )
        run_id = promotion.run_id
        if run_id not in self:
            raise UsageError(f"the run {run_id} is not in the history: add it first.")

    def verify(
        self, run_ids: Collection[str] | None = None, notice: Notice | None = None
    ) -> list[Fault]:
        """Check every file, digest, link and number; return what is wrong, file by file.

        In a Git repository it is also checked that nothing was changed since it was
        first committed, and that a clone gets the files that are here.

        Args:
            run_ids: check the content of these runs only, and do not ask Git.
            notice: called with a sentence about what cannot be checked here.
        """
        return verify(self.location, run_ids, notice)
