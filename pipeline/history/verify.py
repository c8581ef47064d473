"""Checks every file, digest, address, link and number of the history; never stops at a fault."""

import json
import os
import re
from collections.abc import Callable, Collection
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from pipeline.errors import PipelineError
from pipeline.files import sha256_file
from pipeline.history import layout, registry, runfile
from pipeline.history.paths import MODEL_ADDRESS, MODEL_FILE, local_paths
from pipeline.history.registry import Promotion
from pipeline.history.runfile import Artifact, Run
from pipeline.repo import Repo

MODEL = "model.onnx"
MANIFEST = "manifest.json"


class Fault(NamedTuple):
    """What is wrong with a file or folder, named from the repository's root."""

    file: str
    reason: str

    def __str__(self) -> str:
        return f"{self.file}: {self.reason}"


def verify(repo: Repo, run_ids: Collection[str] | None = None) -> list[Fault]:
    """Return all faults of the history and of what is in service; none if all is well.

    Args:
        run_ids: check only these runs, with the folders, the registry and what is in service.
    """
    check = _Verification(repo)
    check.folders()
    for run_id in check.runs if run_ids is None else run_ids:
        check.run(run_id)
    check.links()
    for model in {*registry.models(repo.mlruns), *layout.folders(repo.models)}:
        check.model(model)
    return sorted(check.faults)


class _Verification:
    def __init__(self, repo: Repo) -> None:
        self.repo = repo
        self.faults: list[Fault] = []
        self.runs: dict[str, Path] = {}
        self._checked: set[str] = set()
        self._models: dict[str, Path] = {}  # the run that a model lies with, by model id
        self._links: list[tuple[Path, str]] = []  # a run that uses a model

    def fault(self, path: Path, reason: object) -> None:
        # The error of a `load` names its file, which is named beside the reason here.
        text = str(reason).removeprefix(f"{path}: ")
        self.faults.append(Fault(path.relative_to(self.repo.root).as_posix(), text))

    def folders(self) -> None:
        """Check what lies where down to the run folders, and learn where the runs are."""
        names = [name for name in layout.folders(self.repo.mlruns) if name[0] != "."]
        for experiment in (self.repo.mlruns / name for name in names if name != layout.REGISTRY):
            for day in self._expect(experiment, layout.DAY.match):
                for folder in self._expect(day, layout.RUN_ID.match):
                    if folder.name in self.runs:
                        other = self.runs[folder.name].relative_to(self.repo.root).as_posix()
                        self.fault(folder, f"the same run lies in {other} too")
                    self.runs[folder.name] = folder

    def _expect(self, folder: Path, expected: Callable[[str], object]) -> list[Path]:
        """Return what is in a folder, all of which must be named as expected."""
        names = sorted(os.listdir(folder)) if folder.is_dir() else []
        if len(names) > layout.MOST_ENTRIES:
            self.fault(folder, f"has {len(names)} entries; {layout.MOST_ENTRIES} are the most")
        for name in names:
            if (folder / name).is_symlink():
                self.fault(folder / name, "is a symbolic link")
            elif not expected(name):
                self.fault(folder / name, "does not belong to the history")
        return [folder / name for name in names if expected(name)]

    def run(self, run_id: str) -> None:
        """Check one run: its text, its place, its parent and its files."""
        if run_id not in self.runs:
            return self.fault(self.repo.mlruns, f"the run {run_id} is not there")
        folder, path = self.runs[run_id], self.runs[run_id] / layout.RUN_FILE
        self._expect(folder, {layout.RUN_FILE, layout.ARTIFACTS, layout.MODELS}.__contains__)
        try:
            run = self._load(path)
        except PipelineError as error:
            return self.fault(path, error)
        self._checked.add(run_id)
        if runfile.dump(run).encode() != path.read_bytes():
            self.fault(path, "was edited: this program would write it otherwise")
        day = datetime.fromtimestamp(run.started / 1000, UTC).date().isoformat()
        place = (layout.experiment_folder(run.experiment), day)
        if place != (folder.parent.parent.name, folder.parent.name.partition("_")[0]):
            self.fault(path, f"belongs in {'/'.join(place)}")
        if run.parent and run.parent not in self.runs:
            self.fault(path, f"its parent run {run.parent} is not there")
        for text in local_paths(run):
            self.fault(path, f"{text!r} is the path of a file on one machine")
        self._links += [(path, model_id) for model_id in run.model_inputs]
        self._links += [(path, output.model_id) for output in run.model_outputs]
        self._files(folder / layout.ARTIFACTS, run.artifacts)
        listed = {model.model_id: model.artifacts for model in run.models}
        for model_folder in self._expect(folder / layout.MODELS, listed.__contains__):
            self._files(model_folder, listed[model_folder.name])

    def _load(self, path: Path) -> Run:
        run = runfile.load(path)
        for model in run.models:
            if self._models.setdefault(model.model_id, path) is not path:
                self.fault(path, f"lists the model {model.model_id}, which another run lists")
        return run

    def _files(self, folder: Path, listed: list[Artifact]) -> None:
        """Check that the files below a folder are those listed, byte for byte."""
        found = set()
        for parent, names, files in os.walk(folder):
            self._expect(Path(parent), bool)
            found |= {Path(parent, name) for name in files}
        for artifact in listed:
            path = folder / artifact.path
            if path not in found:
                self.fault(path, "is missing")
                continue
            found.remove(path)
            if (path.stat().st_size, sha256_file(path)) != (artifact.size, artifact.sha256):
                self.fault(path, "was altered: its size or digest is not the one in run.json")
            elif path.name == MODEL_FILE and (
                found_address := MODEL_ADDRESS.search(path.read_text())
            ):
                if layout.URI_SCHEME not in found_address[0]:
                    self.fault(path, "names a path of the machine that it was made on")
        for path in found:
            self.fault(path, "is not in run.json")

    def links(self) -> None:
        """Check that every model that a run uses lies with some run."""
        if any(model_id not in self._models for _, model_id in self._links):
            for run_id in self.runs.keys() - self._checked:
                with suppress(PipelineError):
                    self._load(self.runs[run_id] / layout.RUN_FILE)
        for path, model_id in self._links:
            if model_id not in self._models:
                self.fault(path, f"uses the model {model_id}, which lies with no run")

    def model(self, name: str) -> None:
        """Check a registered model: its versions without a gap, their files, what is in service."""
        folder = self.repo.mlruns / layout.REGISTRY / name
        files = self._expect(folder, re.compile(r"[1-9]\d*\.json$").match)
        paths = {int(path.stem): path for path in files}
        for version in sorted(set(range(1, max(paths, default=0))) - paths.keys()):
            self.fault(folder, f"version {version} is missing although {max(paths)}.json is there")
        champion = None
        for _, path in sorted(paths.items()):
            try:
                champion = registry.load(path)
            except PipelineError as error:
                self.fault(path, error)
            else:
                self._promotion(path, champion)
        self._in_service(self.repo.models / name, champion)

    def _promotion(self, path: Path, promotion: Promotion) -> None:
        if registry.dump(promotion).encode() != path.read_bytes():
            self.fault(path, "was edited: this program would write it otherwise")
        if promotion.replaces != (promotion.version - 1 or None):
            self.fault(path, f"replaces version {promotion.replaces}, not the one before it")
        if promotion.run_id not in self.runs:
            return self.fault(path, f"its run {promotion.run_id} is not there")
        folder = self.runs[promotion.run_id]
        try:
            run = runfile.load(folder / layout.RUN_FILE)
        except PipelineError:
            return  # named with the run
        listed = {model.model_id: model.artifacts for model in run.models}
        digests = {file.path: file.sha256 for file in listed.get(promotion.model_id, [])}
        if digests.get(MODEL) != promotion.sha256:
            self.fault(path, f"promotes another {MODEL} than its run lists")
        if not (folder / layout.MODELS / promotion.model_id / MODEL).is_file():
            self.fault(path, f"the files of its model {promotion.model_id} are not there")

    def _in_service(self, folder: Path, champion: Promotion | None) -> None:
        """Check that what the API serves is the champion."""
        model, manifest = folder / MODEL, folder / MANIFEST
        if champion is None:
            return self.fault(folder, "is in service without a promotion")
        if not model.is_file() or sha256_file(model) != champion.sha256:
            self.fault(model, f"is not the champion, version {champion.version}")
        try:
            said = json.loads(manifest.read_bytes())
            found = (said["version"], said["run_id"])
        except (OSError, ValueError, KeyError, TypeError):
            return self.fault(manifest, "is not there or not a manifest")
        if found != (champion.version, champion.run_id):
            self.fault(manifest, f"does not name the champion, version {champion.version}")
