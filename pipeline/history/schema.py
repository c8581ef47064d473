"""MLflow's database schema, without the 10 s that importing MLflow takes.

`schema.sql` beside this file is what the MLflow version in its first line makes, the one that the
requirements pin; `python -m pipeline.history.schema` writes it anew.
"""

import importlib.metadata
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

from pipeline.errors import PipelineError
from pipeline.files import write_atomic

SCRIPT = Path(__file__).with_name("schema.sql")


def statements() -> tuple[str, str]:
    """Return the SQL that makes the tables, and the SQL that makes their indexes."""
    tables, create_index, rest = SCRIPT.read_text(encoding="utf-8").partition("CREATE INDEX")
    return tables, create_index + rest


def is_current(connection: sqlite3.Connection) -> bool:
    """Tell whether an MLflow database has this schema, not the one of another version of MLflow."""
    ((version,),) = connection.execute("SELECT version_num FROM alembic_version")
    return f"VALUES('{version}')" in SCRIPT.read_text(encoding="utf-8")


def upgrade(path: Path) -> None:
    """Let MLflow bring a database up to its own schema, or make it.

    Raises:
        PipelineError: MLflow cannot, since a newer version of it made the database.
    """
    command = [sys.executable, "-m", "mlflow", "db", "upgrade", f"sqlite:///{path.as_posix()}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stderr.strip() or "no message").splitlines()[-1]
        raise PipelineError(
            f"MLflow could not bring the database up to its version ({last}): install the version "
            "that made it, or save your runs with that version and move the file away."
        )


def dump(path: Path) -> str:
    """Let MLflow make a database at `path` and return the statements that make the same."""
    upgrade(path)
    with closing(sqlite3.connect(path)) as connection:
        # One line each, without BEGIN and COMMIT.
        lines = [" ".join(line.split()) for line in list(connection.iterdump())[1:-1]]
    first = f"-- Made by MLflow {importlib.metadata.version('mlflow')}: python -m {__spec__.name}"
    return "\n".join([first, *lines, ""])


if __name__ == "__main__":
    scratch = SCRIPT.with_suffix(".db")
    try:
        write_atomic(SCRIPT, dump(scratch))
    finally:
        scratch.unlink(missing_ok=True)
