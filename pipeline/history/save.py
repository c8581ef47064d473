"""From an MLflow store or server to run folders.

What is kept is what MLflow's client shows. Two things change, so that they hold in every clone:

- A path of the machine that logged the run becomes relative if it lies in the repository; else its
  last part is kept (see `paths.py`).
- The address that MLflow writes into each model's `MLmodel` file becomes the one in the history.
"""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from filelock import FileLock
from pydantic import ValidationError

from pipeline.errors import UsageError
from pipeline.files import emptied, sha256_file
from pipeline.history import layout, runfile
from pipeline.history.paths import MODEL_ADDRESS, MODEL_FILE, change_paths, portable
from pipeline.history.store import Store, connect


def save(
    uri: str,
    run_ids: Sequence[str] | None,
    mlruns: Path,
    notice: Callable[[str], None] = lambda sentence: None,
) -> list[Path]:
    """Write runs of an MLflow store or server into the history, each with those it belongs with.

    A run folder appears whole or not at all; what a killed call left is finished by the next. A run
    that is in the history is never written again.

    Args:
        uri: `sqlite:///file.db`, or the address of a server.
        run_ids: the runs; None for all that have ended. Parents, children and the runs whose models
            are used come along.
        mlruns: the history; also where a server's `mlflow-artifacts:` addresses lead.
        notice: told one sentence for each run that was left out, if all were asked for.

    Returns:
        The folders of all runs that were asked for and of those that came along.

    Raises:
        UsageError: a run that was asked for has not ended, differs from what the history holds of
            it, or has an artifact that not every system could hold.
        PipelineError: a run is not there, or the store does not answer.
    """
    local = mlruns / layout.LOCAL
    local.mkdir(parents=True, exist_ok=True)
    found: dict[str, Path] = {}
    with (
        connect(uri, mlruns) as store,
        FileLock(local / "save.lock"),
        emptied(local / "saving") as staging,
    ):
        kept = layout.run_folders(mlruns)
        for seed in run_ids or [run.info.run_id for run in store.runs() if not store.is_kept(run)]:
            try:
                for run in store.family(seed) if seed not in found else ():
                    if run.info.run_id not in found:
                        found[run.info.run_id] = _take(store, run, staging, mlruns, kept)
            except UsageError as error:
                if run_ids:
                    raise
                notice(str(error))
    return list(found.values())


def _take(store: Store, entity: Any, staging: Path, mlruns: Path, kept: dict[str, Path]) -> Path:
    """Write one run to a folder aside, then move it to its place."""
    content = store.describe(entity)
    run_id = str(content["run_id"])
    day = layout.day_folder(mlruns, content["experiment"], content["started"])
    target = kept.get(run_id) or day / run_id
    part = staging / run_id
    part.mkdir(parents=True)
    store.download(entity, part)
    _readdress(part, target)
    content["artifacts"] = _artifacts(part / layout.ARTIFACTS)
    for model in content["models"]:
        model["artifacts"] = _artifacts(part / layout.MODELS / model["model_id"])
    root = next((path for path in mlruns.parents if (path / "params.yaml").is_file()), None)
    change_paths(content, lambda path: portable(path, root))
    text = runfile.dump(_checked(content))
    if run_id not in kept:
        (part / layout.RUN_FILE).write_bytes(text.encode())
        target.parent.mkdir(parents=True, exist_ok=True)
        os.replace(part, target)
    elif (target / layout.RUN_FILE).read_text(encoding="utf-8") != text:
        raise UsageError(
            f"the run {run_id} has changed since it was saved in {target}: "
            "the history is never edited, log what is new as a new run."
        )
    return target


def _checked(content: dict[str, Any]) -> runfile.Run:
    """Return a run; a UsageError says what of it the history cannot hold."""
    try:
        return runfile.Run.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise UsageError(
            f"the run {content['run_id']} cannot be kept: {where} is {first['input']!r} "
            f"({first['msg']})."
        ) from error


def _readdress(part: Path, target: Path) -> None:
    """Put a model's address in the history where MLflow wrote the one on this machine."""
    for path in part.rglob(MODEL_FILE):
        below = path.parent.relative_to(part).parts
        line = f"artifact_path: {layout.artifact_uri(target.parent, target.name, *below)}"
        path.write_bytes(MODEL_ADDRESS.sub(line, path.read_bytes().decode(), count=1).encode())


def _artifacts(folder: Path) -> list[dict[str, object]]:
    """Describe the files below a folder, in the order of their paths."""
    found = [
        {
            "path": path.relative_to(folder).as_posix(),
            "sha256": sha256_file(path),
            "size": path.stat().st_size,
        }
        for path in folder.rglob("*")
        if path.is_file()
    ]
    return sorted(found, key=lambda file: str(file["path"]))
