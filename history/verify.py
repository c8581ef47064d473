"""Checks every file, digest, address, link and number of the history; never stops at a
fault.
"""

import json
import os
import re
from collections.abc import Callable, Collection
from pathlib import Path

from core.errors import PipelineError
from core.files import sha256_file
from history import layout, names, registry, runfile, witness
from history.faults import Fault
from history.portable_paths import MODEL_ADDRESS, MODEL_FILE, local_paths
from pipeline.repo import Repo

MODEL = "model.onnx"
MANIFEST = "manifest.json"
EDITED = "was edited: this program would write it otherwise"


def verify(
    repo: Repo,
    run_ids: Collection[str] | None = None,
    notice: Callable[[str], None] = lambda sentence: None,
) -> list[Fault]:
    """Return all faults of the history and of what is in service; none if all is well.

    Args:
        run_ids: check the content of these runs only, and do not ask Git how they once
            were; every run is read all the same.
        notice: called with a sentence about what cannot be seen here.
    """
    check = _Verification(repo)
    check.read_runs()
    for run_id in check.folders if run_ids is None else run_ids:
        check.run(run_id)
    for model in {*registry.models(repo.mlruns), *layout.folders(repo.models)}:
        check.model(model)
    if run_ids is None:
        check.faults += witness.faults(repo, notice, explain=bool(check.faults))
    return sorted(set(check.faults))


class _Verification:
    def __init__(self, repo: Repo) -> None:
        self.repo = repo
        self.faults: list[Fault] = []
        self.folders: dict[str, Path] = {}  # where each run lies
        self.runs: dict[str, runfile.Run] = {}  # those that can be read
        self.owners: dict[str, str] = {}  # the run that lists a model, by model id

    def fault(self, path: Path, reason: object) -> None:
        # The error of a `load` names its file and this check, which are named anyway.
        text = (
            str(reason).removeprefix(f"{path}: ").removesuffix(f"; {runfile.RESTORE}.")
        )
        self.faults.append(Fault(path.relative_to(self.repo.root).as_posix(), text))

    def read_runs(self) -> None:
        """Read every run, and check what lies where down to the run folders."""
        found = [name for name in layout.folders(self.repo.mlruns) if name[0] != "."]
        registered = self.repo.mlruns / layout.REGISTRY
        self._names(self.repo.mlruns, found)
        self._names(registered, layout.folders(registered))
        for experiment in (
            self.repo.mlruns / name for name in found if name != layout.REGISTRY
        ):
            for day in self._expect(experiment, layout.DAY.match):
                for folder in self._expect(day, layout.RUN_ID.match):
                    self._read_run(folder)

    def _read_run(self, folder: Path) -> None:
        path, run_id = folder / layout.RUN_FILE, folder.name
        if run_id in self.folders:
            other = self.folders[run_id].relative_to(self.repo.root).as_posix()
            self.fault(folder, f"the same run lies in {other} too")
        self.folders[run_id] = folder
        try:
            self.runs[run_id] = runfile.load(path)
        except PipelineError as error:
            return self.fault(path, error)
        for model in self.runs[run_id].models:
            if self.owners.setdefault(model.model_id, run_id) != run_id:
                self.fault(
                    path, f"lists the model {model.model_id}, which another run lists"
                )

    def _expect(self, folder: Path, expected: Callable[[str], object]) -> list[Path]:
        """Return what is in a folder, all of which must be named as expected."""
        found = sorted(os.listdir(folder)) if folder.is_dir() else []
        if len(found) > layout.MOST_ENTRIES:
            self.fault(
                folder, f"has {len(found)} entries; {layout.MOST_ENTRIES} are the most"
            )
        for name in found:
            if (folder / name).is_symlink():
                self.fault(folder / name, "is a symbolic link")
            elif not expected(name):
                self.fault(
                    folder / name, "does not belong to the history: move it elsewhere"
                )
        self._names(folder, found)
        return [folder / name for name in found if expected(name)]

    def _names(self, folder: Path, found: list[str]) -> None:
        """Check that what is in a folder can be checked out on every system."""
        for name in found:
            path = (folder / name).relative_to(self.repo.root).as_posix()
            if reason := names.fault_of(name) or names.too_long(path):
                self.fault(folder / name, reason)
        if pair := names.clash(found):
            self.fault(
                folder / pair[1], f"is one file with {pair[0]} on Windows or macOS"
            )

    def run(self, run_id: str) -> None:
        """Check one run: its text, its place, its links and its files."""
        if run_id not in self.runs:
            if run_id not in self.folders:
                self.fault(self.repo.mlruns, f"the run {run_id} is not there")
            return
        run, folder = self.runs[run_id], self.folders[run_id]
        path = folder / layout.RUN_FILE
        if runfile.dump(run).encode() != path.read_bytes():
            self.fault(path, EDITED)
        day = layout.time(run.started).date().isoformat()
        in_experiment = layout.is_experiment_folder(
            folder.parent.parent.name, run.experiment
        )
        if not in_experiment or day != layout.date(folder.parent):
            self.fault(
                path, f"belongs in {layout.experiment_folder(run.experiment)}/{day}"
            )
        if run.parent and run.parent not in self.folders:
            self.fault(path, f"its parent run {run.parent} is not there")
        for model_id in run.linked_models() - self.owners.keys():
            self.fault(path, f"uses the model {model_id}, which lies with no run")
        for text in local_paths(run):
            self.fault(path, f"{text!r} is the path of a file on one machine")
        self._expect(
            folder, {layout.RUN_FILE, layout.ARTIFACTS, layout.MODELS}.__contains__
        )
        self._files(folder / layout.ARTIFACTS, run.artifacts)
        listed = {model.model_id: model.artifacts for model in run.models}
        for model_folder in self._expect(folder / layout.MODELS, listed.__contains__):
            self._files(model_folder, listed[model_folder.name])

    def _files(self, folder: Path, listed: list[runfile.Artifact]) -> None:
        """Check that the files below a folder are those listed, byte for byte."""
        found = set()
        for parent, _, files in os.walk(folder):
            self._expect(Path(parent), bool)
            found |= {Path(parent, name) for name in files}
        expected = {folder / artifact.path: artifact for artifact in listed}
        for path in expected.keys() - found:
            self.fault(path, "is missing")
        for path in found - expected.keys():
            self.fault(path, "is not in run.json")
        for path in expected.keys() & found:
            artifact = expected[path]
            if (path.stat().st_size, sha256_file(path)) != (
                artifact.size,
                artifact.sha256,
            ):
                self.fault(
                    path, "was altered: its size or digest is not the one in run.json"
                )
            elif path.name == MODEL_FILE:
                address = MODEL_ADDRESS.search(
                    path.read_bytes().decode(errors="replace")
                )
                if address and layout.URI_SCHEME not in address[0]:
                    self.fault(path, "names a path of the machine that it was made on")

    def model(self, name: str) -> None:
        """Check a registered model: its versions without a gap, their files, what is in
        service.
        """
        folder = self.repo.mlruns / layout.REGISTRY / name
        files = self._expect(folder, re.compile(r"[1-9]\d*\.json$").match)
        paths = {int(path.stem): path for path in files}
        champion, last = None, max(paths, default=0)
        for version in set(range(1, last)) - paths.keys():
            self.fault(
                folder, f"version {version} is missing although {last}.json is there"
            )
        for _, path in sorted(paths.items()):
            try:
                champion = registry.load(path)
            except PipelineError as error:
                self.fault(path, error)
            else:
                self._promotion(path, champion)
        self._in_service(self.repo.models / name, champion)

    def _promotion(self, path: Path, promotion: registry.Promotion) -> None:
        if registry.dump(promotion).encode() != path.read_bytes():
            self.fault(path, EDITED)
        if promotion.replaces != (promotion.version - 1 or None):
            self.fault(
                path, f"replaces version {promotion.replaces}, not the one before it"
            )
        if promotion.run_id not in self.folders:
            return self.fault(path, f"its run {promotion.run_id} is not there")
        models = self.folders[promotion.run_id] / layout.MODELS
        if not (models / promotion.model_id / MODEL).is_file():
            self.fault(
                path, f"the files of its model {promotion.model_id} are not there"
            )
        if run := self.runs.get(promotion.run_id):  # else named when it was read
            listed = {
                (m.model_id, file.path): file.sha256
                for m in run.models
                for file in m.artifacts
            }
            if listed.get((promotion.model_id, MODEL)) != promotion.sha256:
                self.fault(path, f"promotes another {MODEL} than its run lists")

    def _in_service(self, folder: Path, champion: registry.Promotion | None) -> None:
        """Check that what the API serves is the champion."""
        model, manifest = folder / MODEL, folder / MANIFEST
        if champion is None:
            return self.fault(folder, "is in service without a promotion")
        if not model.is_file() or sha256_file(model) != champion.sha256:
            self.fault(model, f"is not the champion, version {champion.version}")
        try:
            said = json.loads(manifest.read_bytes())
            if (said["version"], said["run_id"]) != (champion.version, champion.run_id):
                self.fault(
                    manifest, f"does not name the champion, version {champion.version}"
                )
        except (OSError, ValueError, KeyError, TypeError):
            self.fault(manifest, "is not there or not a manifest")
