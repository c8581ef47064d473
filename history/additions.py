"""A new run folder, written aside and then moved into its place."""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from core.errors import UsageError
from core.files import emptied, sha256_file
from history import layout, runfile
from history.runfile import Artifact, Run


def add(mlruns: Path, run: Run, files: Mapping[str, Path]) -> Path:
    """Write the folder of a run that is not in the history; see `History.add`."""
    _check_files(run, files)
    target = layout.day_folder(mlruns, run.experiment, run.started) / run.run_id
    with emptied(mlruns / layout.LOCAL / "adding" / run.run_id) as staging:
        folder = staging / run.run_id
        folder.mkdir()
        for path, source in files.items():
            copy = folder / path
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, copy)
        (folder / layout.RUN_FILE).write_bytes(runfile.dump(run).encode())
        target.parent.mkdir(parents=True, exist_ok=True)
        os.replace(folder, target)
    return target


def add_model(mlruns: Path, files: Path, target: Path) -> None:
    """Copy the files of a model to its place with its run, unless they are there."""
    if target.exists():
        return
    with emptied(mlruns / layout.LOCAL / "adding" / target.name) as staging:
        folder = staging / target.name
        shutil.copytree(files, folder)
        target.parent.mkdir(parents=True, exist_ok=True)
        os.replace(folder, target)


def _check_files(run: Run, files: Mapping[str, Path]) -> None:
    """Refuse files that are not the ones that the run lists."""
    listed = _by_path(layout.ARTIFACTS, run.artifacts)
    for model in run.models:
        folder = f"{layout.MODELS}/{model.model_id}"
        if any(path.startswith(f"{folder}/") for path in files):
            listed |= _by_path(folder, model.artifacts)
    for path in sorted(listed.keys() - files.keys()):
        raise UsageError(f"the run {run.run_id} lists {path}: name its file.")
    for path, source in files.items():
        if path not in listed:
            raise UsageError(f"the run {run.run_id} does not list {path}.")
        artifact = listed[path]
        size = source.stat().st_size
        if size != artifact.size or sha256_file(source) != artifact.sha256:
            raise UsageError(
                f"{source} is not the {path} of the run {run.run_id}: its size or"
                " digest is another."
            )


def _by_path(folder: str, artifacts: list[Artifact]) -> dict[str, Artifact]:
    return {f"{folder}/{artifact.path}": artifact for artifact in artifacts}
