"""Checks every file, digest, address, link and number of the history.

All faults are reported, not only the first.
"""

import os
from collections.abc import Callable, Collection
from pathlib import Path

from core.errors import PipelineError
from history import layout, registry, runfile, witness
from history.faults import Fault, FaultList
from history.folder_check import FolderCheck
from history.location import Location
from history.portable_paths import MODEL_ADDRESS, MODEL_FILE, local_paths
from history.record import Artifact
from history.runfile import Run
from history.sparse import LeftOut
from history.verify_registry import RegistryCheck

PARTS = (layout.RUN_FILE, layout.ARTIFACTS, layout.MODELS)  # of a run's folder
ALTERED = "was altered: its size or digest is not the one in run.json"


def verify(
    location: Location,
    run_ids: Collection[str] | None = None,
    notice: Callable[[str], None] | None = None,
) -> list[Fault]:
    """Return all faults of a history and of the models in service, sorted by file.

    Args:
        run_ids: check the content of these runs only, and do not ask Git how they were
            when they were committed; every run is read all the same.
        notice: called with a sentence about what cannot be checked here.
    """
    faults = FaultList(location)
    left_out = LeftOut(location, frozenset())
    if run_ids is None:
        left_out = LeftOut.of(location)
    if left_out and notice:
        notice(left_out.notice())
    runs = RunCheck(location, faults, left_out)
    runs.read_all()
    checked: Collection[str] = runs.folders
    if run_ids is not None:
        checked = run_ids
    for run_id in checked:
        runs.check(run_id)
    registered = RegistryCheck(
        location, faults, runs.runs, runs.folders, left_out.has_file
    )
    registry_folder = location.path / layout.REGISTRY
    for model in models(location):
        folder = registry_folder / model
        if not left_out.any_below(folder):
            registered.check(model)
    if run_ids is None:
        explain = bool(faults.entries)
        faults.entries += witness.faults(location, notice, explain)
        find_others = location.project.find_faults
        if find_others:
            faults.entries += find_others(notice or witness.ignore)
    return sorted(set(faults.entries))


def models(location: Location) -> set[str]:
    """Return the names of the models that are registered or in service."""
    models = set(registry.models(location.path))
    in_service = location.project.models
    if in_service:
        models.update(layout.folders(in_service))
    return models


class RunCheck:
    """Checks the runs of a history.

    Attributes:
        folders: the folder of each run by run ID.
        runs: the runs that can be read, by run ID.
    """

    def __init__(
        self, location: Location, faults: FaultList, left_out: LeftOut
    ) -> None:
        self.folders: dict[str, Path] = {}
        self._left_out = left_out
        self._some_are_left_out = False  # runs, and not only files of them
        self.runs: dict[str, Run] = {}
        self._mlruns = location.path
        self._location = location
        self._names = FolderCheck(location, faults)
        self._fault = faults.add
        self._owners: dict[str, str] = {}  # the run that lists a model, by model ID

    def read_all(self) -> None:
        """Read every run, and check which files lie where, down to the run folders."""
        entries = layout.folders(self._mlruns)
        experiments = [name for name in entries if not name.startswith(".")]
        self._names.check_names(self._mlruns, experiments)
        registered = self._mlruns / layout.REGISTRY
        models = layout.folders(registered)
        self._names.check_names(registered, models)
        for name in experiments:
            if name == layout.REGISTRY:
                continue
            self._read_experiment(self._mlruns / name)
        for folder in self._left_out.run_folders():
            self._some_are_left_out = True
            self.folders.setdefault(folder.name, folder)

    def _read_experiment(self, experiment: Path) -> None:
        days = self._names.expect(experiment, layout.DAY.match)
        for day in days:
            folders = self._names.expect(day, layout.RUN_ID.match)
            for folder in folders:
                self._read(folder)

    def know(self, run_id: str, models: Collection[str], folder: Path) -> None:
        """Take a run as read that lies in Git, and in the folder at most in part.

        Args:
            models: the IDs of the models that it lists.
        """
        self.folders[run_id] = folder
        self._claim_models(run_id, models, folder)

    def _read(self, folder: Path) -> None:
        path = folder / layout.RUN_FILE
        run_id = folder.name
        if self.folders.get(run_id) == folder:
            return  # see `know`
        if run_id in self.folders:
            other = self._location.relative(self.folders[run_id])
            self._fault(folder, f"the same run lies in {other} too")
        self.folders[run_id] = folder
        if not path.exists() and path in self._left_out:
            return
        try:
            run = runfile.load(path)
        except PipelineError as error:
            self._fault(path, error)
            return
        self.runs[run_id] = run
        model_ids = [model.model_id for model in run.models]
        self._claim_models(run_id, model_ids, folder)

    def _claim_models(self, run_id: str, models: Collection[str], folder: Path) -> None:
        """Check that no other run lists a model of this one."""
        path = folder / layout.RUN_FILE
        for model_id in models:
            owner = self._owners.setdefault(model_id, run_id)
            if owner != run_id:
                reason = f"lists the model {model_id}, which another run lists"
                self._fault(path, reason)

    def check(self, run_id: str) -> None:
        """Check one run: its text, its place, its links and its files."""
        if run_id not in self.folders:
            self._fault(self._mlruns, f"the run {run_id} is not there")
            return
        if run_id not in self.runs:
            return  # the fault was named when the run was read
        run = self.runs[run_id]
        folder = self.folders[run_id]
        self._check_place(run, folder)
        run_file = folder / layout.RUN_FILE
        self._check_links(run, run_file)
        self._names.expect(folder, PARTS.__contains__)
        artifacts_folder = folder / layout.ARTIFACTS
        self._check_files(artifacts_folder, run.artifacts)
        listed = {model.model_id: model.artifacts for model in run.models}
        models = folder / layout.MODELS
        model_folders = self._names.expect(models, listed.__contains__)
        for model_folder in model_folders:
            artifacts = listed[model_folder.name]
            self._check_files(model_folder, artifacts)

    def _check_place(self, run: Run, folder: Path) -> None:
        path = folder / layout.RUN_FILE
        text = runfile.dump(run)
        content = path.read_bytes()
        if text.encode() != content:
            self._fault(path, runfile.EDITED)
        day_folder = folder.parent
        experiment = day_folder.parent.name
        started = layout.time(run.started)
        day = started.date().isoformat()
        is_in_day = layout.date(day_folder) == day
        is_in_experiment = layout.is_experiment_folder(experiment, run.experiment)
        if not is_in_day or not is_in_experiment:
            expected = layout.experiment_folder(run.experiment)
            self._fault(path, f"belongs in {expected}/{day}")

    def _check_links(self, run: Run, path: Path) -> None:
        parent = run.parent
        if parent and parent not in self.folders:
            self._fault(path, f"its parent run {parent} is not there")
        unknown = run.linked_models() - self._owners.keys()
        if self._some_are_left_out:  # one of those may list it
            unknown.clear()
        for model_id in unknown:
            self._fault(path, f"uses the model {model_id}, which no run lists")
        for text in local_paths(run):
            self._fault(path, f"{text!r} is the path of a file on one machine")

    def _check_files(self, folder: Path, artifacts: list[Artifact]) -> None:
        """Check that the files below a folder are those listed, byte for byte."""
        listed = {}
        for artifact in artifacts:
            path = folder / artifact.path
            listed[path] = artifact
        present: set[Path] = set()
        for parent, _, files in os.walk(folder):
            self._names.expect(Path(parent), bool)
            for name in files:
                present.add(Path(parent, name))
        for path in listed.keys() - present:
            if path not in self._left_out:
                self._fault(path, "is missing")
        for path in present - listed.keys():
            self._fault(path, "is not in run.json")
        for path in listed.keys() & present:
            self._check_file(path, listed[path])

    def _check_file(self, path: Path, artifact: Artifact) -> None:
        if not artifact.is_content_of(path):
            self._fault(path, ALTERED)
            return
        if path.name != MODEL_FILE:
            return
        content = path.read_bytes()
        text = content.decode(errors="replace")
        address = MODEL_ADDRESS.search(text)
        if address and layout.URI_SCHEME not in address[0]:
            self._fault(path, "names a path of the machine that it was made on")
