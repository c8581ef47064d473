"""MLflow's database: its schema in SQLite, and the statements that change it.

The statements are those of SQLite and, as `postgres.py` translates them, of PostgreSQL.
`schema.sql` is the schema of the MLflow version in its first line, which is the pinned
one: to import MLflow and let it create the tables takes 10 s. `python -m
tools.write_schema` writes the file again.
"""

import os
import re
import sqlite3
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import Any, Literal, Protocol

from core.errors import PipelineError
from core.files import sha256_bytes
from history import mlflow_rows
from history.layout import LOCAL, URI_SCHEME, experiment_folder, is_history_uri

SCHEMA = Path(__file__).with_name("schema.sql")
DEFAULT = "Default"  # the experiment that MLflow requires
NAME = "-- name: "  # starts a named part of an SQL file, as in aiosql
REVISION = re.compile(r"""INTO "alembic_version" VALUES\('(\w+)'\)""")


class Connection(Protocol):
    """What the statements need of a connection: SQLite's has it."""

    def execute(self, statement: str, values: Mapping[str, Any] = ..., /) -> Any:
        """Execute a statement and return its cursor."""

    def executemany(self, statement: str, rows: Iterable[Mapping[str, Any]], /) -> Any:
        """Execute a statement once for each row, which holds its values by name."""


def revision() -> str:
    """Return the version of MLflow's schema, as its migrations number it."""
    match = REVISION.search(SCHEMA.read_text(encoding="utf-8"))
    assert match
    return match[1]


def statements(name: str) -> list[str]:
    """Return the statements of the SQL file with this name."""
    return _split(_read(name))


def _read(name: str) -> str:
    path = SCHEMA.with_name(f"{name}.sql")
    return path.read_text(encoding="utf-8")


@cache
def named_statements(name: str) -> dict[str, list[str]]:
    """Return the statements of each named part of an SQL file, in the file's order."""
    _, *parts = _read(name).split(NAME)
    named = {}
    for part in parts:
        title, _, content = part.partition("\n")
        named[title] = _split(content)
    return named


def _split(text: str) -> list[str]:
    parts = text.split(";\n")
    return [part.strip() for part in parts if part.strip()]


def connect(path: Path) -> sqlite3.Connection:
    """Open a database or create one; the caller begins and ends the transactions."""
    connection = sqlite3.connect(path, timeout=60, isolation_level=None)
    connection.create_function("in_history", 1, is_history_uri)
    return connection


def create_tables(connection: sqlite3.Connection) -> list[str]:
    """Create MLflow's tables and return the statements for their indexes.

    The indexes are created faster when the tables are full.
    """
    indexes = []
    for statement in statements("schema"):
        if statement.startswith("CREATE INDEX"):
            indexes.append(statement)
        else:
            connection.execute(statement)
    return indexes


def analyze(connection: sqlite3.Connection) -> None:
    """Gather statistics, without which a page of runs sorted by a metric takes a minute."""
    connection.execute("PRAGMA analysis_limit = 1000")
    connection.execute("ANALYZE")


def upgrade(path: Path, temporary: Path) -> None:
    """Let MLflow migrate a database of another version to its own, or change nothing.

    Raises:
        PipelineError: a newer version of MLflow created it.
        sqlite3.Error: it is not a database of MLflow.
    """
    with closing(connect(path)) as connection:
        ((version,),) = connection.execute("SELECT version_num FROM alembic_version")
        if version == revision():
            return
        connection.execute("PRAGMA journal_mode = DELETE")  # all of it in one file
        connection.execute("VACUUM INTO ?", (str(temporary),))
    run_migrations(temporary)
    temporary.replace(path)


def run_migrations(path: Path) -> None:
    """Run `mlflow db upgrade`, which creates the database if there is none.

    Raises:
        PipelineError: it failed.
    """
    reason = migrate(f"sqlite:///{path.as_posix()}")
    if reason:
        raise PipelineError(
            f"MLflow could not migrate the database to its version ({reason}): install"
            " the version that created it, or move the file away to have it built"
            " again, without the runs that were not imported."
        )


def migrate(address: str, variables: Mapping[str, str] | None = None) -> str:
    """Run `mlflow db upgrade`, and return why it failed, or nothing.

    Args:
        address: the address of a database, which any user of the machine may read.
        variables: further environment variables, such as a password.
    """
    process = subprocess.run(
        [sys.executable, "-m", "mlflow", "db", "upgrade", address],
        env=os.environ | dict(variables or {}),
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    if process.returncode == 0:
        return ""
    message = process.stderr.strip() or "no message"
    return message.splitlines()[-1]


def delete_rows(
    connection: Connection,
    kind: Literal["runs", "registry"],
    names: Iterable[str],
) -> None:
    """Delete runs by their IDs, or registered models by their names."""
    connection.execute("CREATE TEMP TABLE leaving (id TEXT PRIMARY KEY)")
    rows = [{"id": name} for name in names]
    connection.executemany("INSERT INTO leaving (id) VALUES (:id)", rows)
    for statement in statements(f"delete_{kind}"):
        connection.execute(statement)
    connection.execute("DROP TABLE leaving")


def insert(connection: Connection, rows: Iterable[mlflow_rows.Row]) -> None:
    """Insert rows, all rows of one part of the records at once.

    The parts are inserted in the order of `mlflow_rows.sql`, where what others refer to
    comes first.
    """
    values: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for part, row in rows:
        values[part].append(row)
    for part, part_statements in named_statements("mlflow_rows").items():
        for statement in part_statements:
            connection.executemany(statement, values[part])


def experiment_ids(connection: Connection) -> dict[str, int]:
    """Return the IDs of the experiments by name."""
    return dict(connection.execute("SELECT name, experiment_id FROM experiments"))


def add_experiment(
    connection: Connection,
    ids: dict[str, int],
    name: str,
    created: int,
) -> None:
    """Add an experiment to the database and to `ids`.

    Its ID is the same in every clone unless it is taken. `created` is in milliseconds
    since the epoch.
    """
    number = 0
    if name != DEFAULT:
        digest = sha256_bytes(name.encode())
        number = int(digest[:7], 16)
    while number in ids.values():
        number += 1
    # New artifacts of a notebook go there, never among the history's own folders.
    location = f"{URI_SCHEME}{LOCAL}/{experiment_folder(name)}"
    row = {
        "id": number,
        "name": name,
        "location": location,
        "created": created,
    }
    insert(connection, [("experiment", row)])
    ids[name] = number
