"""Checks the promotions of the history and the models in service."""

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path

from core.errors import PipelineError
from core.file_names import MANIFEST, MODEL
from core.files import sha256_file
from history import layout, registry, runfile
from history.faults import FaultList
from history.folder_check import FolderCheck
from history.location import Location
from history.registry import Promotion
from history.runfile import Run

VERSION_FILE = re.compile(r"[1-9]\d*\.json$")


class RegistryCheck:
    """Checks registered models against the runs of the history.

    Args:
        runs: the runs that can be read, by run ID.
        folders: the folder of each run, by run ID.
        has_file: whether the repository has a file, which may lie in Git alone.
    """

    def __init__(
        self,
        location: Location,
        faults: FaultList,
        runs: Mapping[str, Run],
        folders: Mapping[str, Path],
        has_file: Callable[[Path], bool] = Path.is_file,
    ) -> None:
        self._location = location
        self._names = FolderCheck(location, faults)
        self._fault = faults.add
        self._runs = runs
        self._folders = folders
        self._has_file = has_file

    def check(self, name: str) -> None:
        """Check a registered model: its versions, their files, and what is in service."""
        folder = self._location.path / layout.REGISTRY / name
        files = self._names.expect(folder, VERSION_FILE.match)
        paths = {int(path.stem): path for path in files}
        last = max(paths, default=0)
        for version in range(1, last):
            if version not in paths:
                reason = f"version {version} is missing although {last}.json is there"
                self._fault(folder, reason)
        champion = None
        for version in sorted(paths):
            path = paths[version]
            try:
                champion = registry.load(path)
            except PipelineError as error:
                self._fault(path, error)
            else:
                self._check_promotion(path, champion)
        if self._location.project.models:
            self._check_in_service(self._location.project.models / name, champion)

    def _check_promotion(self, path: Path, promotion: Promotion) -> None:
        if registry.dump(promotion).encode() != path.read_bytes():
            self._fault(path, runfile.EDITED)
        previous = promotion.version - 1 or None
        replaced = promotion.replaces
        if replaced != previous:
            self._fault(path, f"replaces version {replaced}, not the one before it")
        run_id = promotion.run_id
        model_id = promotion.model_id
        if run_id not in self._folders:
            self._fault(path, f"its run {run_id} is not there")
            return
        models = self._folders[run_id] / layout.MODELS
        model = models / model_id / MODEL
        if not self._has_file(model):
            self._fault(path, f"the files of its model {model_id} are not there")
        run = self._runs.get(run_id)
        if run is None:
            return  # a fault of the run
        if self._listed_digest(run, model_id) != promotion.sha256:
            self._fault(path, f"promotes another {MODEL} than its run lists")

    def _listed_digest(self, run: Run, model_id: str) -> str | None:
        """Return the digest of a model's file that a run lists."""
        for model in run.models:
            for file in model.artifacts:
                if model.model_id == model_id and file.path == MODEL:
                    return file.sha256
        return None

    def _check_in_service(self, folder: Path, champion: Promotion | None) -> None:
        """Check that the model that the API serves is the champion."""
        if champion is None:
            self._fault(folder, "is in service without a promotion")
            return
        model = folder / MODEL
        version = champion.version
        if not self._is_champion(model, champion):
            self._fault(model, f"is not the champion, version {version}")
        path = folder / MANIFEST
        if not path.exists() and self._has_file(path):
            return
        try:
            manifest = json.loads(path.read_bytes())
            identity = (manifest["version"], manifest["run_id"])
        except (OSError, ValueError, KeyError, TypeError):
            self._fault(path, "is not there or not a manifest")
            return
        if identity != (version, champion.run_id):
            self._fault(path, f"does not name the champion, version {version}")

    def _is_champion(self, model: Path, champion: Promotion) -> bool:
        if model.is_file():
            return sha256_file(model) == champion.sha256
        return self._has_file(model)
