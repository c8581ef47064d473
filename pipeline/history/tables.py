"""The statements that change MLflow's tables; the transaction is the caller's."""

import hashlib
import sqlite3
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Set
from contextlib import contextmanager

from pipeline.history.layout import LOCAL, URI_SCHEME, experiment_folder
from pipeline.history.rows import COLUMNS, DERIVED_TAG, DatasetKey, Rows

DEFAULT_EXPERIMENT = (0, "Default")
OF_RUNS = "SELECT id FROM leaving"
OF_INPUTS = f"SELECT input_uuid FROM inputs WHERE destination_id IN ({OF_RUNS})"
OF_MODELS = f"SELECT model_id FROM logged_models WHERE source_run_id IN ({OF_RUNS})"
# What goes with a run; in this order, since later statements find their rows by earlier ones.
DELETIONS = (
    f"input_tags WHERE input_uuid IN ({OF_INPUTS})",
    f"inputs WHERE destination_id IN ({OF_RUNS}) OR source_id IN ({OF_RUNS})",
    f"logged_model_metrics WHERE model_id IN ({OF_MODELS})",
    f"logged_model_params WHERE model_id IN ({OF_MODELS})",
    f"logged_model_tags WHERE model_id IN ({OF_MODELS})",
    f"logged_models WHERE source_run_id IN ({OF_RUNS})",
    *(f"{table} WHERE run_uuid IN ({OF_RUNS})" for table in ("params", "tags")),
    *(f"{table} WHERE run_uuid IN ({OF_RUNS})" for table in ("metrics", "latest_metrics", "runs")),
    "datasets WHERE dataset_uuid NOT IN (SELECT source_id FROM inputs)",
)


def known_runs(connection: sqlite3.Connection) -> dict[str, str]:
    """Return the artifact address of every run by run id."""
    return dict(connection.execute("SELECT run_uuid, artifact_uri FROM runs"))


def known_models(connection: sqlite3.Connection) -> dict[str, set[str]]:
    """Return the ids of the logged models by run id."""
    found: dict[str, set[str]] = defaultdict(set)
    for run_id, model_id in connection.execute("SELECT source_run_id, model_id FROM logged_models"):
        found[run_id].add(model_id)
    return found


def delete_runs(connection: sqlite3.Connection, run_ids: Set[str]) -> None:
    """Delete runs with all that belongs to them."""
    if run_ids:
        connection.execute("CREATE TEMP TABLE leaving (id TEXT PRIMARY KEY)")
        connection.executemany("INSERT INTO leaving VALUES (?)", ((run_id,) for run_id in run_ids))
        for deletion in DELETIONS:
            connection.execute(f"DELETE FROM {deletion}")
        connection.execute("DROP TABLE leaving")


def delete_registered_models(connection: sqlite3.Connection, names: Iterable[str]) -> None:
    """Delete the registered models of these names, and all that an earlier restore derived."""
    query = "SELECT DISTINCT name FROM model_version_tags WHERE key = ?"
    derived = {name for (name,) in connection.execute(query, (DERIVED_TAG,))}
    for name in derived.union(names):
        for table in ("model_version_tags", "registered_model_aliases", "model_versions"):
            connection.execute(f"DELETE FROM {table} WHERE name = ?", (name,))
        connection.execute("DELETE FROM registered_models WHERE name = ?", (name,))


def delete_dangling(connection: sqlite3.Connection) -> None:
    """Delete the links to models that are not shown."""
    connection.execute(
        "DELETE FROM inputs WHERE source_type IN ('RUN_INPUT', 'RUN_OUTPUT') "
        "AND destination_id NOT IN (SELECT model_id FROM logged_models)"
    )


@contextmanager
def without_indexes(connection: sqlite3.Connection) -> Iterator[None]:
    """Make the indexes of the tables with most rows at the end: a sixth of the time."""
    query = "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql LIKE '%run_uuid%'"
    indexes = connection.execute(query).fetchall()
    for name, _ in indexes:
        connection.execute(f"DROP INDEX {name}")
    yield
    for _, sql in indexes:
        connection.execute(sql)


class Writer:
    """Inserts rows, and knows the ids that MLflow has given or will be given."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        query = "SELECT name, experiment_id FROM experiments"
        self._experiments: dict[str, int] = dict(connection.execute(query))
        query = "SELECT experiment_id, name, digest, dataset_uuid FROM datasets"
        self.dataset_ids: dict[DatasetKey, str] = {
            (experiment, name, digest): dataset
            for experiment, name, digest, dataset in connection.execute(query)
        }
        if DEFAULT_EXPERIMENT[1] not in self._experiments:
            self._add_experiment(*DEFAULT_EXPERIMENT, time.time_ns() // 1_000_000)

    def write(self, rows: Rows) -> None:
        """Insert rows."""
        for table, batch in rows.items():
            if batch:
                marks = ", ".join("?" * len(batch[0]))
                statement = f"INSERT INTO {table} ({COLUMNS[table]}) VALUES ({marks})"
                self._connection.executemany(statement, batch)

    def experiment_id(self, name: str, created: int) -> int:
        """Return an experiment's id; a new one is derived from its name, alike in every clone."""
        if name not in self._experiments:
            number = int(hashlib.sha256(name.encode()).hexdigest()[:7], 16)
            while number in self._experiments.values():
                number += 1
            self._add_experiment(number, name, created)
        return self._experiments[name]

    def _add_experiment(self, number: int, name: str, created: int) -> None:
        # Never where the history's own folders lie: new artifacts of a notebook go there.
        location = f"{URI_SCHEME}{LOCAL}/{experiment_folder(name)}"
        self._connection.execute(
            "INSERT INTO experiments (experiment_id, name, artifact_location, lifecycle_stage, "
            "creation_time, last_update_time) VALUES (?, ?, ?, 'active', ?, ?)",
            (number, name, location, created, created),
        )
        self._experiments[name] = number
