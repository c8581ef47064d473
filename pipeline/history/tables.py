"""The statements that change MLflow's tables; the transaction is the caller's."""

import hashlib
import sqlite3
import time
from collections import defaultdict
from collections.abc import Iterable, Set
from typing import Any

from pipeline.history.layout import LOCAL, URI_SCHEME, experiment_folder
from pipeline.history.rows import DERIVED_TAG, DatasetKey, Row

# What goes with a run: the column that names the run, one of its models or one of its links.
OWNER = {
    "input_tags": "input_uuid",
    "inputs": "input_uuid",
    "logged_model_metrics": "model_id",
    "logged_model_params": "model_id",
    "logged_model_tags": "model_id",
    "logged_models": "model_id",
    "params": "run_uuid",
    "tags": "run_uuid",
    "metrics": "run_uuid",
    "latest_metrics": "run_uuid",
    "runs": "run_uuid",
}
OF_REGISTERED_MODEL = (
    "model_version_tags",
    "registered_model_aliases",
    "model_versions",
    "registered_models",
)


def delete_runs(connection: sqlite3.Connection, run_ids: Set[str]) -> None:
    """Delete runs with all that belongs to them."""
    if not run_ids:
        return
    connection.execute("CREATE TEMP TABLE leaving (id TEXT PRIMARY KEY)")
    connection.executemany("INSERT INTO leaving VALUES (?)", ((run_id,) for run_id in run_ids))
    connection.execute(
        "INSERT INTO leaving "
        "SELECT input_uuid FROM inputs WHERE source_id IN leaving OR destination_id IN leaving "
        "UNION SELECT model_id FROM logged_models WHERE source_run_id IN leaving"
    )
    for table, column in OWNER.items():
        connection.execute(f"DELETE FROM {table} WHERE {column} IN leaving")
    connection.execute("DROP TABLE leaving")
    unused = "dataset_uuid NOT IN (SELECT source_id FROM inputs)"
    connection.execute(f"DELETE FROM datasets WHERE {unused}")


def delete_registered_models(connection: sqlite3.Connection, names: Iterable[str]) -> None:
    """Delete the registered models of these names, and all that an earlier restore derived."""
    query = "SELECT DISTINCT name FROM model_version_tags WHERE key = ?"
    derived = {name for (name,) in connection.execute(query, (DERIVED_TAG,))}
    for table in OF_REGISTERED_MODEL:
        leaving = [(name,) for name in derived.union(names)]
        connection.executemany(f"DELETE FROM {table} WHERE name = ?", leaving)


def insert(connection: sqlite3.Connection, rows: Iterable[Row]) -> None:
    """Insert rows; those of one table name the same columns in the same order."""
    by_table: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for table, row in rows:
        by_table[table].append(row)
    for table, batch in by_table.items():
        columns, marks = ", ".join(batch[0]), ", ".join("?" * len(batch[0]))
        values = (tuple(row.values()) for row in batch)
        connection.executemany(f"INSERT INTO {table} ({columns}) VALUES ({marks})", values)


def dataset_ids(connection: sqlite3.Connection) -> dict[DatasetKey, str]:
    """Return the ids of the data sets, those that MLflow itself has given included."""
    query = "SELECT experiment_id, name, digest, dataset_uuid FROM datasets"
    return {tuple(key): dataset_id for *key, dataset_id in connection.execute(query)}


class Experiments:
    """The experiments by name; a new one gets an id that is derived from its name."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        query = "SELECT name, experiment_id FROM experiments"
        self._ids: dict[str, int] = dict(connection.execute(query))
        if "Default" not in self._ids:  # MLflow insists on it
            self._add(0, "Default", time.time_ns() // 1_000_000)

    def id(self, name: str, created: int) -> int:
        """Return an experiment's id; a new one is alike in every clone, unless it is taken."""
        if name not in self._ids:
            number = int(hashlib.sha256(name.encode()).hexdigest()[:7], 16)
            while number in self._ids.values():
                number += 1
            self._add(number, name, created)
        return self._ids[name]

    def _add(self, number: int, name: str, created: int) -> None:
        row = {
            "experiment_id": number,
            "name": name,
            # Never where the history's own folders lie: new artifacts of a notebook go there.
            "artifact_location": f"{URI_SCHEME}{LOCAL}/{experiment_folder(name)}",
            "lifecycle_stage": "active",
            "creation_time": created,
            "last_update_time": created,
        }
        insert(self._connection, [("experiments", row)])
        self._ids[name] = number
