"""Exports a history as the file store of MLflow up to 3.12: the way out of this layout.

Experiments and registered models are those of the built database, so that both show the
same.
"""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

from core.errors import UsageError
from core.files import TEMPORARY_PREFIX, emptied
from history import build, layout
from history.filestore import FileStore
from history.filestore_files import UnwritableError
from history.history import History

EXPERIMENTS = "SELECT experiment_id, name, creation_time FROM experiments"
MODELS = """
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
ALIASES = "SELECT alias, version FROM registered_model_aliases WHERE name = ?"
TAGS = "SELECT key, value FROM model_version_tags WHERE name = ? AND version = ?"


class Exported(NamedTuple):
    """The numbers of runs and versions written, and why others are left out, by run ID."""

    runs: int
    versions: int
    left_out: dict[str, str]


def export(
    history: History,
    target: Path,
    notice: Callable[[str], None] | None = None,
) -> Exported:
    """Write the whole history to `target` as a file store, all of it or nothing.

    Args:
        target: a folder that does not exist or is empty. What is written names it by
            its absolute path, as every file store does: MLflow can open it only there.
        notice: called with a sentence for each run that a file store cannot hold.

    Raises:
        UsageError: `target` is not empty, or is in the history.
        PipelineError: a file of the history is damaged.
    """
    target = target.resolve()
    _require_free(target, history)
    temporary = target.with_name(f"{TEMPORARY_PREFIX}{target.name}")
    with emptied(temporary) as aside:
        database = aside / "mlflow.db"
        build.build_database(history.path, database)
        store = FileStore(aside / "store", target)
        with closing(sqlite3.connect(database)) as connection:
            connection.row_factory = sqlite3.Row
            result = _Export(connection, history, store).write(notice)
        if target.exists():
            target.rmdir()
        (aside / "store").rename(target)
    return result


def _require_free(target: Path, history: History) -> None:
    if target.is_relative_to(history.path):
        raise UsageError(f"{target} lies in the history: name a folder elsewhere.")
    if not target.exists():
        return
    if not target.is_dir() or any(target.iterdir()):
        raise UsageError(
            f"{target} is not empty: name a folder that is, or that does not exist."
        )


class _Export:
    """Writes the content of a built database and the run files to a file store."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        history: History,
        store: FileStore,
    ) -> None:
        self._connection = connection
        self._history = history
        self._store = store

    def write(self, notice: Callable[[str], None] | None) -> Exported:
        """Write experiments, runs and registered models."""
        experiments = {}
        for row in self._connection.execute(EXPERIMENTS):
            experiments[row["name"]] = row["experiment_id"]
            self._store.add_experiment(*row)
        left_out = {}
        for run in self._history.runs():
            folder = self._history.folders[run.run_id]
            try:
                self._store.add_run(run, experiments[run.experiment], folder)
            except UnwritableError as error:
                left_out[run.run_id] = str(error)
                if notice:
                    notice(f"the run {run.run_id} {error}: it is left out.")
        written = {}
        rows = self._connection.execute("SELECT run_uuid, experiment_id FROM runs")
        for run_id, number in rows:
            if run_id not in left_out:
                written[run_id] = str(number)
        return Exported(len(written), self._write_models(written), left_out)

    def _write_models(self, runs: dict[str, str]) -> int:
        """Write the registered models; return the number of versions written.

        Versions whose run was not written are left out.

        Args:
            runs: the experiment of each run that was written.
        """
        count = 0
        for model in self._rows(MODELS):
            name = model["name"]
            versions = {}
            for version in self._rows(VERSIONS, name):
                if version["run_id"] in runs:
                    number = version["version"]
                    versions[number] = version
            aliases = {}
            for alias in self._rows(ALIASES, name):
                if alias["version"] in versions:
                    aliases[alias["alias"]] = alias["version"]
            self._store.add_registered_model(model, aliases)
            for version in versions.values():
                experiment = runs[version["run_id"]]
                self._write_version(version, experiment)
            count += len(versions)
        return count

    def _rows(self, query: str, *values: object) -> list[dict[str, Any]]:
        rows = self._connection.execute(query, values).fetchall()
        return [dict(row) for row in rows]

    def _write_version(self, version: dict[str, Any], experiment: str) -> None:
        tags = {}
        for tag in self._rows(TAGS, version["name"], version["version"]):
            tags[tag["key"]] = tag["value"]
        *_, kind, last = version["storage_location"].split("/")
        files = [kind, last]
        if kind == layout.MODELS:
            files = [layout.MODELS, last, "artifacts"]
        self._store.add_version(version, tags, experiment, *files)
