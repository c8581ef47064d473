"""From an MLflow store or server to run folders.

What is kept is what MLflow's client shows. Two things change, so that they hold in
every clone:

- A path of the machine that logged the run becomes relative if it lies in the
  repository; else its last part is kept (see `paths.py`).
- The address that MLflow writes into each model's `MLmodel` file becomes the one in the
history.
"""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from filelock import FileLock
from pydantic import ValidationError

from core.errors import UsageError
from core.files import emptied, sha256_file
from history import layout, names, runfile, unkept
from history.family import Family
from history.mlflow_source import Store, connect
from history.portable_paths import MODEL_ADDRESS, MODEL_FILE, change_paths, portable


def save(
    uri: str,
    run_ids: Sequence[str] | None,
    mlruns: Path,
    notice: Callable[[str], None] | None = None,
    saved: Callable[[Path], None] = lambda folder: None,
) -> list[Path]:
    """Write runs of an MLflow store or server into the history, each with those it
    belongs with.

    A run folder appears whole or not at all; what a killed call left is finished by the
    next. A run that is in the history is never written again. A run that cannot be kept
    stops no other.

    Args:
        uri: `sqlite:///file.db`, the folder of a file store, or the address of a
            server.
        run_ids: the runs; None for all that have ended. Parents, children and the runs
            whose models are used come along.
        mlruns: the history; also where a server's `mlflow-artifacts:` addresses lead.
        notice: called with a sentence for each run that is left out, with its id and
            the reason, and with one that says what of the store is not kept.
        saved: called with the folder of each run as soon as it is in the history.

    Returns:
        The folders of all runs that were asked for and of those that came along.

    Raises:
        UsageError: a run that was asked for is not there, has not ended, differs from
            what the history holds of it, or has an artifact that not every system could
            hold.
        PipelineError: the store does not answer, or a run that has ended could not be
            saved. What could be saved is in the history.
    """
    local = mlruns / layout.LOCAL
    local.mkdir(parents=True, exist_ok=True)
    with (
        connect(uri, mlruns) as store,
        FileLock(local / "save.lock"),
        emptied(local / "saving") as staging,
    ):
        if notice and (sentence := unkept.sentence(store, mlruns)):
            notice(sentence)
        writer = Writer(store, staging, mlruns)
        family = Family(store, writer, notice or (lambda sentence: None), saved)
        if run_ids:
            family.save_named(run_ids)
        else:
            family.save_all()
    return list(family.folders.values())


class Writer:
    """Writes one run after the other into the history."""

    def __init__(self, store: Store, staging: Path, mlruns: Path) -> None:
        self._store, self._staging, self._mlruns = store, staging, mlruns
        self._kept = layout.run_folders(mlruns)

    def write(self, entity: Any) -> Path:
        """Write a run to a folder aside, then move it to its place, which is returned.

        Raises:
            UsageError: the history cannot hold it.
        """
        content = self._store.describe(entity)
        run_id = str(content["run_id"])
        day = layout.day_folder(self._mlruns, content["experiment"], content["started"])
        target = self._kept.get(run_id) or day / run_id
        part = self._staging / run_id
        part.mkdir(parents=True)
        self._store.download(entity, part)
        _readdress(part, target)
        content["artifacts"] = _artifacts(part / layout.ARTIFACTS)
        for model in content["models"]:
            model["artifacts"] = _artifacts(part / layout.MODELS / model["model_id"])
        root = next(
            (p for p in self._mlruns.parents if (p / "params.yaml").is_file()), None
        )
        change_paths(content, lambda path: portable(path, root))
        text = runfile.dump(_checked(content))
        _check_lengths(part, target.relative_to(self._mlruns))
        if run_id not in self._kept:
            (part / layout.RUN_FILE).write_bytes(text.encode())
            target.parent.mkdir(parents=True, exist_ok=True)
            os.replace(part, target)
        elif (target / layout.RUN_FILE).read_text(encoding="utf-8") != text:
            raise UsageError(
                f"has changed since it was saved in {target}: the history is never"
                " edited, log what is new as a new run."
            )
        return target


def _checked(content: dict[str, Any]) -> runfile.Run:
    """Return a run; a UsageError says what of it the history cannot hold."""
    try:
        return runfile.Run.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        if first["type"] == runfile.FILE_NAME:
            raise UsageError(
                f"cannot be kept: the artifact {first['msg']}; log it again under"
                " another name."
            ) from error
        raise UsageError(
            f"cannot be kept: {where} is {first['input']!r}, which the history cannot"
            " hold."
        ) from error


def _check_lengths(part: Path, target: Path) -> None:
    """Refuse a run one of whose files would lie deeper than every system can reach."""
    for path in part.rglob("*"):
        place = f"mlruns/{(target / path.relative_to(part)).as_posix()}"
        if reason := names.too_long(place):
            name = path.relative_to(part).as_posix()
            raise UsageError(
                f"cannot be kept: {name!r} {reason}; log it under a shorter name."
            )


def _readdress(part: Path, target: Path) -> None:
    """Put a model's address in the history where MLflow wrote the one on this machine."""
    for path in part.rglob(MODEL_FILE):
        below = path.parent.relative_to(part).parts
        line = (
            f"artifact_path: {layout.artifact_uri(target.parent, target.name, *below)}"
        )
        text = path.read_bytes().decode(errors="surrogateescape")
        changed = MODEL_ADDRESS.sub(line, text, count=1)
        path.write_bytes(changed.encode(errors="surrogateescape"))


def _artifacts(folder: Path) -> list[dict[str, object]]:
    """Describe the files below a folder, in the order of their paths."""
    found = []
    for path in folder.rglob("*"):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink():
            raise UsageError(
                f"cannot be kept: the artifact {name!r} is a symbolic link."
            )
        if path.is_file():
            size = path.stat().st_size
            found.append({"path": name, "sha256": sha256_file(path), "size": size})
    return sorted(found, key=lambda file: str(file["path"]))
