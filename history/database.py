"""MLflow's SQLite database: its schema, and the statements that change it.

`schema.sql` is what the MLflow in its first line makes, the one that the requirements
pin: importing MLflow would take 10 s. `python tools/write_schema.py` writes it anew.
"""

import re
import sqlite3
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

from core.errors import PipelineError
from core.files import sha256_bytes
from history import mlflow_rows
from history.layout import LOCAL, URI_SCHEME, experiment_folder, is_history_uri

SCHEMA = Path(__file__).with_name("schema.sql")
DEFAULT = "Default"  # the experiment that MLflow insists on


def statements(name: str) -> list[str]:
    """Return the statements of the SQL file of this name."""
    return SCHEMA.with_name(f"{name}.sql").read_text(encoding="utf-8").split(";\n")


def connect(path: Path) -> sqlite3.Connection:
    """Open a database, or a new one; the transactions are the caller's."""
    connection = sqlite3.connect(path, timeout=60, isolation_level=None)
    connection.create_function("id_of", -1, mlflow_rows.id_of)
    connection.create_function("stored", 1, mlflow_rows.stored)
    connection.create_function("in_history", 1, is_history_uri)
    return connection


def create_tables(connection: sqlite3.Connection) -> list[str]:
    """Make MLflow's tables; return the statements for their indexes, to run when they
    are full.
    """
    schema = statements("schema")
    indexes = [
        statement for statement in schema if statement.startswith("CREATE INDEX")
    ]
    for statement in schema:
        if statement not in indexes:
            connection.execute(statement)
    return indexes


def analyse(connection: sqlite3.Connection) -> None:
    """Gather the statistics without which a page of runs sorted by a metric takes a
    minute.
    """
    connection.execute("PRAGMA analysis_limit = 1000")
    connection.execute("ANALYZE")


def upgrade(path: Path, temporary: Path) -> None:
    """Let MLflow bring a database that another version of it made up to its own, or not
    at all.

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
    command = [
        sys.executable,
        "-m",
        "mlflow",
        "db",
        "upgrade",
        f"sqlite:///{path.as_posix()}",
    ]
    done = subprocess.run(
        command, capture_output=True, encoding="utf-8", errors="replace", check=False
    )
    if done.returncode:
        last = (done.stderr.strip() or "no message").splitlines()[-1]
        raise PipelineError(
            f"MLflow could not bring the database up to its version ({last}): install"
            " the version that made it, or move the file away to have it made anew,"
            " without runs not yet saved."
        )


def take_out(connection: sqlite3.Connection, what: str, names: Iterable[str]) -> None:
    """Take `runs` by their ids, or what of the `registry` has one of these names, out."""
    connection.execute("CREATE TEMP TABLE leaving (id TEXT PRIMARY KEY)")
    connection.executemany(
        "INSERT INTO leaving VALUES (?)", ((name,) for name in names)
    )
    for statement in statements(f"{what}_out"):
        connection.execute(statement)
    connection.execute("DROP TABLE leaving")


def insert(connection: sqlite3.Connection, given: Iterable[mlflow_rows.Row]) -> None:
    """Insert rows, all of a kind at once."""
    values: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for part, row in given:
        values[part].append(row)
    for statement in statements("rows"):
        if part_of := re.search(r"^-- (\S+)$", statement, re.MULTILINE):
            connection.executemany(statement, values[part_of[1]])


def experiment_ids(connection: sqlite3.Connection) -> dict[str, int]:
    """Return the ids of the experiments by name."""
    return dict(connection.execute("SELECT name, experiment_id FROM experiments"))


def add_experiment(
    connection: sqlite3.Connection, known: dict[str, int], name: str, created: int
) -> None:
    """Add an experiment, also to those known; its id is alike in every clone unless it
    is taken.
    """
    number = 0 if name == DEFAULT else int(sha256_bytes(name.encode())[:7], 16)
    while number in known.values():
        number += 1
    # Never where the history's own folders lie: new artifacts of a notebook go there.
    location = f"{URI_SCHEME}{LOCAL}/{experiment_folder(name)}"
    row = {"id": number, "name": name, "location": location, "created": created}
    insert(connection, [("experiment", row)])
    known[name] = number
