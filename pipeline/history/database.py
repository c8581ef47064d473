"""MLflow's SQLite database: its schema, and the statements that change it.

`schema.sql` is what the MLflow in its first line makes, the one that the requirements pin:
importing MLflow would take 10 s. `python scripts/write_schema.py` writes it anew.
"""

import hashlib
import sqlite3
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable, Set
from contextlib import closing
from pathlib import Path
from typing import Any

from pipeline.errors import PipelineError
from pipeline.history.layout import LOCAL, URI_SCHEME, experiment_folder
from pipeline.history.rows import DERIVED_TAG, DatasetKey, Row

SCHEMA = Path(__file__).with_name("schema.sql")
DEFAULT = "Default"  # the experiment that MLflow insists on
# What goes with a run, by the column that names one of its links, one of its models or itself.
OWNED = {
    "input_uuid": ("input_tags", "inputs"),
    "model_id": (
        "logged_model_metrics",
        "logged_model_params",
        "logged_model_tags",
        "logged_models",
    ),
    "run_uuid": ("params", "tags", "metrics", "latest_metrics", "runs"),
}


def connect(path: Path) -> sqlite3.Connection:
    """Open a database, or a new one; the transactions are the caller's."""
    return sqlite3.connect(path, timeout=60, isolation_level=None)


def create_tables(connection: sqlite3.Connection) -> list[str]:
    """Make MLflow's tables; return the statements for their indexes, to run when they are full."""
    statements = SCHEMA.read_text(encoding="utf-8").splitlines()  # one a line
    indexes = [statement for statement in statements if statement.startswith("CREATE INDEX")]
    for statement in statements:
        if statement not in indexes:
            connection.execute(statement)
    return indexes


def analyse(connection: sqlite3.Connection) -> None:
    """Gather the statistics without which a page of runs sorted by a metric takes a minute."""
    connection.execute("PRAGMA analysis_limit = 1000")
    connection.execute("ANALYZE")


def upgrade(path: Path, temporary: Path) -> None:
    """Let MLflow bring a database that another version of it made up to its own, or not at all.

    Raises:
        PipelineError: a newer version made it.
        sqlite3.Error: it is not a database of MLflow.
    """
    with closing(connect(path)) as connection:
        ((version,),) = connection.execute("SELECT version_num FROM alembic_version")
        if f"VALUES('{version}')" in SCHEMA.read_text(encoding="utf-8"):
            return
        connection.execute("PRAGMA journal_mode = DELETE")  # all of it in one file
        connection.execute("VACUUM INTO ?", (str(temporary),))
    run_migrations(temporary)
    temporary.replace(path)


def run_migrations(path: Path) -> None:
    """Run `mlflow db upgrade`, which makes a database where there is none.

    Raises:
        PipelineError: it failed.
    """
    command = [sys.executable, "-m", "mlflow", "db", "upgrade", f"sqlite:///{path.as_posix()}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stderr.strip() or "no message").splitlines()[-1]
        raise PipelineError(
            f"MLflow could not bring the database up to its version ({last}): install the version "
            "that made it, or move the file away to have it made anew, without runs not yet saved."
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
    for column, owned in OWNED.items():
        for table in owned:
            connection.execute(f"DELETE FROM {table} WHERE {column} IN leaving")
    connection.execute("DROP TABLE leaving")
    connection.execute(
        "DELETE FROM datasets WHERE dataset_uuid NOT IN (SELECT source_id FROM inputs)"
    )


def delete_registered_models(connection: sqlite3.Connection, names: Iterable[str]) -> None:
    """Delete the registered models of these names, and all that an earlier restore derived."""
    query = "SELECT DISTINCT name FROM model_version_tags WHERE key = ?"
    derived = {name for (name,) in connection.execute(query, (DERIVED_TAG,))}
    leaving = [(name,) for name in derived.union(names)]
    parts = ("model_version_tags", "registered_model_aliases", "model_versions")
    for table in (*parts, "registered_models"):
        connection.executemany(f"DELETE FROM {table} WHERE name = ?", leaving)


def insert(connection: sqlite3.Connection, rows: Iterable[Row]) -> None:
    """Insert rows, all of a kind at once."""
    kinds: dict[str, list[tuple[Any, ...]]] = defaultdict(list)
    for into, values in rows:
        kinds[into].append(values)
    for into, batch in kinds.items():
        marks = ", ".join("?" * len(batch[0]))
        connection.executemany(f"INSERT INTO {into} VALUES ({marks})", batch)


def dataset_ids(connection: sqlite3.Connection) -> dict[DatasetKey, str]:
    """Return the ids of the data sets, those that MLflow itself has given included."""
    query = "SELECT experiment_id, name, digest, dataset_uuid FROM datasets"
    return {tuple(key): dataset_id for *key, dataset_id in connection.execute(query)}


def experiment_ids(connection: sqlite3.Connection) -> dict[str, int]:
    """Return the ids of the experiments by name."""
    return dict(connection.execute("SELECT name, experiment_id FROM experiments"))


def add_experiment(
    connection: sqlite3.Connection, known: dict[str, int], name: str, created: int
) -> None:
    """Add an experiment, also to those known; its id is alike in every clone unless it is taken."""
    number = 0 if name == DEFAULT else int(hashlib.sha256(name.encode()).hexdigest()[:7], 16)
    while number in known.values():
        number += 1
    # Never where the history's own folders lie: new artifacts of a notebook go there.
    location = f"{URI_SCHEME}{LOCAL}/{experiment_folder(name)}"
    connection.execute(
        "INSERT INTO experiments (experiment_id, name, artifact_location, lifecycle_stage, "
        "creation_time, last_update_time) VALUES (?, ?, ?, 'active', ?, ?)",
        (number, name, location, created, created),
    )
    known[name] = number
