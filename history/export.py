"""From run folders to the file store of MLflow up to 3.12: the way out of this layout.

Experiments and registered models are those of the restored database, so that both show
the same.
"""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from core.errors import UsageError
from core.files import TEMPORARY_PREFIX, emptied
from history import build, layout, runfile
from history.filestore import FileStore, UnwritableError

REGISTERED = """
SELECT name, creation_time AS creation_timestamp, last_updated_time AS last_updated_timestamp,
       description
FROM registered_models ORDER BY name
"""
VERSIONS = """
SELECT name, version, creation_time AS creation_timestamp,
       last_updated_time AS last_updated_timestamp, description, user_id, current_stage, source,
       run_id, run_link, status, status_message, storage_location
FROM model_versions WHERE name = ? ORDER BY version
"""


class Exported(NamedTuple):
    """What was written, and why each run that is left out is left out, by id."""

    runs: int
    versions: int
    left_out: dict[str, str]


def export(
    mlruns: Path, target: Path, notice: Callable[[str], None] = lambda sentence: None
) -> Exported:
    """Write the whole history to `target` as a file store, all of it or nothing.

    Args:
        target: a folder that does not exist or is empty. What is written names it by
            its absolute path, as every file store does: it opens where it was written.
        notice: called with a sentence for each run that a file store cannot hold.

    Raises:
        UsageError: there is something at `target`, or it lies in the history.
        PipelineError: a file of the history is damaged.
    """
    target = target.resolve()
    if target.is_relative_to(mlruns.resolve()):
        raise UsageError(f"{target} lies in the history: name a folder elsewhere.")
    if target.exists() and not (target.is_dir() and not any(target.iterdir())):
        raise UsageError(
            f"{target} is not empty: name a folder that is, or that does not exist."
        )
    with emptied(target.with_name(f"{TEMPORARY_PREFIX}{target.name}")) as aside:
        database = aside / "mlflow.db"
        build.restore(mlruns, database)
        with closing(sqlite3.connect(database)) as connection:
            connection.row_factory = sqlite3.Row
            exported = _fill(
                connection, mlruns, FileStore(aside / "store", target), notice
            )
        if target.exists():
            target.rmdir()
        (aside / "store").rename(target)
    return exported


def _fill(
    connection: sqlite3.Connection,
    mlruns: Path,
    store: FileStore,
    notice: Callable[[str], None],
) -> Exported:
    experiments = {}
    for row in connection.execute(
        "SELECT experiment_id, name, creation_time FROM experiments"
    ):
        experiments[row["name"]] = row["experiment_id"]
        store.add_experiment(*row)
    left_out = {}
    folders = layout.run_folders(mlruns)
    for run_id, folder in folders.items():
        run = runfile.load(folder / layout.RUN_FILE)
        try:
            store.add_run(run, experiments[run.experiment], folder)
        except UnwritableError as error:
            left_out[run_id] = str(error)
            notice(f"the run {run_id} {error}: it is left out.")
    numbers = dict(connection.execute("SELECT run_uuid, experiment_id FROM runs"))
    written = {
        run_id: str(number)
        for run_id, number in numbers.items()
        if run_id not in left_out
    }
    versions = sum(_registered(connection, store, written))
    return Exported(len(written), versions, left_out)


def _registered(
    connection: sqlite3.Connection, store: FileStore, runs: dict[str, str]
) -> Iterator[int]:
    """Write each registered model; yield how many of its versions are of runs that are
    there.
    """
    for model in connection.execute(REGISTERED).fetchall():
        name = model["name"]
        found = [dict(row) for row in connection.execute(VERSIONS, (name,))]
        versions = [version for version in found if version["run_id"] in runs]
        there = {version["version"] for version in versions}
        aliases = dict(
            connection.execute(
                "SELECT alias, version FROM registered_model_aliases WHERE name = ?",
                (name,),
            )
        )
        store.add_registered_model(
            dict(model), {a: v for a, v in aliases.items() if v in there}
        )
        for version in versions:
            tags = dict(
                connection.execute(
                    "SELECT key, value FROM model_version_tags WHERE name = ? AND"
                    " version = ?",
                    (name, version["version"]),
                )
            )
            store.add_version(version, tags, runs[version["run_id"]], *_files(version))
        yield len(versions)


def _files(version: dict[str, str]) -> tuple[str, ...]:
    """Return where the files of a version lie below its experiment's folder in a file
    store.
    """
    *_, kind, last = version["storage_location"].split("/")
    return (layout.MODELS, last, "artifacts") if kind == layout.MODELS else (kind, last)
