"""A new run folder, written aside and then moved into its place."""

import os
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

from core.errors import UsageError
from core.files import emptied
from history import layout, runfile
from history.lock import write_lock
from history.record import Artifact
from history.runfile import Run

STAGING = "adding"


def add(
    mlruns: Path,
    run: Run,
    files: Mapping[str, Path],
) -> Path:
    """Write the folder of a run that is not in the history; see `History.add`."""
    _check_files(run, files)
    with write_lock(mlruns):
        if layout.find_run(mlruns, run.run_id):
            raise already_added(run.run_id)
        day = layout.day_folder(mlruns, run.experiment, run.started)
        target = day / run.run_id
        with emptied(mlruns / layout.LOCAL / STAGING) as staging:
            folder = staging / run.run_id
            _write(folder, run, files)
            _move(folder, target)
    return target


def already_added(run_id: str) -> UsageError:
    """Return the error of a run that is to be added a second time."""
    return UsageError(
        f"the run {run_id} is in the history already: runs are never written again."
    )


def add_model(
    mlruns: Path,
    files: Path,
    target: Path,
) -> None:
    """Copy the files of a model to its place with its run, unless they are there.

    The caller holds the history's lock.
    """
    if target.exists():
        return
    with emptied(mlruns / layout.LOCAL / STAGING) as staging:
        folder = staging / target.name
        shutil.copytree(files, folder)
        _move(folder, target)


def _write(
    folder: Path,
    run: Run,
    files: Mapping[str, Path],
) -> None:
    folder.mkdir()
    for path, source in files.items():
        copy = folder / path
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, copy)
    text = runfile.dump(run)
    (folder / layout.RUN_FILE).write_bytes(text.encode())


def _move(folder: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    os.replace(folder, target)


def _check_files(run: Run, files: Mapping[str, Path]) -> None:
    """Refuse files that are not the ones that the run lists."""
    title = f"the run {run.run_id}"
    listed = _listed_files(run, files)
    missing = listed.keys() - files.keys()
    if missing:
        raise UsageError(f"{title} lists {min(missing)}: name its file.")
    for path, source in files.items():
        if path not in listed:
            raise UsageError(f"{title} does not list {path}.")
        if not listed[path].is_content_of(source):
            raise UsageError(
                f"{source} is not the {path} of {title}: its size or digest is another."
            )


def _listed_files(run: Run, paths: Iterable[str]) -> dict[str, Artifact]:
    """Return the files that a run lists by their paths below its folder.

    Those of a model are left out if none of them is among `paths`.
    """
    listed = _by_path(layout.ARTIFACTS, run.artifacts)
    for model in run.models:
        folder = f"{layout.MODELS}/{model.model_id}"
        start = f"{folder}/"
        if any(path.startswith(start) for path in paths):
            listed |= _by_path(folder, model.artifacts)
    return listed


def _by_path(folder: str, artifacts: list[Artifact]) -> dict[str, Artifact]:
    by_path = {}
    for artifact in artifacts:
        path = f"{folder}/{artifact.path}"
        by_path[path] = artifact
    return by_path
