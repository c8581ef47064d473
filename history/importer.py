"""Imports runs of an MLflow store or server into a history.

All that MLflow's client shows is kept. Two things change, so that they are valid in
every clone:

- A path of the machine that logged the run becomes relative if it lies in the
  repository; else only its last part is kept (see `portable_paths.py`).
- The address that MLflow writes into the `MLmodel` file of each model becomes the one
  in the history.
"""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from core.errors import UsageError
from core.files import emptied, sha256_file
from history import layout, names, not_imported, runfile
from history.family import Family
from history.history import History
from history.lock import write_lock
from history.mlflow_source import Store, connect
from history.portable_paths import MODEL_ADDRESS, MODEL_FILE, change_paths, portable
from history.record import FILE_NAME


def import_runs(
    uri: str,
    history: History,
    run_ids: Sequence[str] | None = None,
    notice: Callable[[str], None] | None = None,
    imported: Callable[[Path], None] | None = None,
) -> list[Path]:
    """Import runs of an MLflow store or server, each with the runs it belongs with.

    A run folder appears whole or not at all, and is never written again. A run that
    cannot be imported does not keep others from being imported.

    Args:
        uri: `sqlite:///file.db`, the folder of a file store, or a server's address.
        run_ids: all that have ended if None. Parents, children and the runs whose
            models are used are imported with them.
        notice: called with a sentence about each run, or other part, that is left out.
        imported: called with the folder of each run as soon as it is in the history.

    Returns:
        The folders of the named runs, and of those that were imported with them.

    Raises:
        UsageError: a named run cannot be imported.
        PipelineError: the store does not answer, or a run that has ended could not be
            imported. The others are in the history.
    """
    with (
        connect(uri, history.path) as store,
        write_lock(history.path),
        emptied(history.path / layout.LOCAL / "importing") as staging,
    ):
        history.refresh()  # another process may have added runs before we had the lock
        _report_not_imported(store, history, notice)
        writer = Writer(store, staging, history)
        family = Family(store, writer, notice or _ignore, imported or _ignore)
        family.import_runs(run_ids)
    return list(family.folders.values())


def _report_not_imported(
    store: Store,
    history: History,
    notice: Callable[[str], None] | None,
) -> None:
    """Report what else the store holds; to count that takes a while."""
    if notice is None:
        return
    for sentence in not_imported.notices(store, history.path):
        notice(sentence)


def _ignore(value: object) -> None:
    """Do nothing, where the caller wants no notice."""


class Writer:
    """Writes one run after the other into the history."""

    def __init__(
        self,
        store: Store,
        staging: Path,
        history: History,
    ) -> None:
        self._store = store
        self._staging = staging
        self._history = history
        self._root = history.location.source_root

    def write(self, entity: Any) -> Path:
        """Write a run to a staging folder, move it to its place, and return the place.

        Raises:
            UsageError: the history cannot hold it.
        """
        content = self._store.describe(entity)
        run_id = str(content["run_id"])
        target = self._target(run_id, content)
        folder = self._staging / run_id
        folder.mkdir(parents=True)
        self._store.download(entity, folder)
        _readdress(folder, target)
        content["artifacts"] = _artifacts(folder / layout.ARTIFACTS)
        for model in content["models"]:
            files = folder / layout.MODELS / model["model_id"]
            model["artifacts"] = _artifacts(files)
        change_paths(content, self._portable)
        text = runfile.dump(_checked(content))
        _check_lengths(folder, target.relative_to(self._history.root))
        if run_id in self._history:
            _require_same(target, text)
        else:
            (folder / layout.RUN_FILE).write_bytes(text.encode())
            target.parent.mkdir(parents=True, exist_ok=True)
            os.replace(folder, target)
            self._history.folders[run_id] = target
        return target

    def _target(self, run_id: str, content: dict[str, Any]) -> Path:
        """Return the folder of a run, which may not exist yet."""
        if run_id in self._history:
            return self._history.folders[run_id]
        day = layout.day_folder(
            self._history.path, content["experiment"], content["started"]
        )
        return day / run_id

    def _portable(self, path: str) -> str:
        return portable(path, self._root)


def _require_same(folder: Path, text: str) -> None:
    """Refuse a run that is not the one that the history holds under its ID."""
    if (folder / layout.RUN_FILE).read_text(encoding="utf-8") != text:
        raise UsageError(
            f"has changed since it was imported into {folder}: the history is never"
            " edited, log what is new as a new run."
        )


def _checked(content: dict[str, Any]) -> runfile.Run:
    """Return a run; a UsageError names what the history cannot hold of it."""
    try:
        return runfile.Run.model_validate(content)
    except ValidationError as error:
        fault = error.errors()[0]
        if fault["type"] == FILE_NAME:
            raise UsageError(
                f"cannot be kept: the artifact {fault['msg']}; log it again under"
                " another name."
            ) from error
        field = ".".join(map(str, fault["loc"]))
        value = fault["input"]
        raise UsageError(
            f"cannot be kept: {field} is {value!r}, which the history cannot hold."
        ) from error


def _check_lengths(folder: Path, target: Path) -> None:
    """Refuse a run with a file whose path would be too long for some system.

    `target` is the run's folder, relative to the folder above the history.
    """
    for path in folder.rglob("*"):
        name = path.relative_to(folder)
        reason = names.too_long((target / name).as_posix())
        if reason:
            raise UsageError(
                f"cannot be kept: {name.as_posix()!r} {reason}; log it under a shorter"
                " name."
            )


def _readdress(folder: Path, target: Path) -> None:
    """Replace the address of this machine in the models by the one in the history."""
    for path in folder.rglob(MODEL_FILE):
        below = path.parent.relative_to(folder)
        address = layout.artifact_uri(target.parent, target.name, *below.parts)
        text = path.read_bytes().decode(errors="surrogateescape")
        text = MODEL_ADDRESS.sub(f"artifact_path: {address}", text, count=1)
        path.write_bytes(text.encode(errors="surrogateescape"))


def _artifacts(folder: Path) -> list[dict[str, object]]:
    """Describe the files below a folder, in the order of their paths."""
    files = {}
    for path in folder.rglob("*"):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink():
            raise UsageError(
                f"cannot be kept: the artifact {name!r} is a symbolic link."
            )
        if path.is_file():
            files[name] = path
    artifacts: list[dict[str, object]] = []
    for name, path in sorted(files.items()):
        artifact = {
            "path": name,
            "sha256": sha256_file(path),
            "size": path.stat().st_size,
        }
        artifacts.append(artifact)
    return artifacts
