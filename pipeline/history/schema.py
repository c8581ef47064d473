"""MLflow's database schema, without the 10 s that importing MLflow takes.

`schema.sql` beside this file is what the MLflow version in its first line makes. With any other
version of MLflow installed, MLflow itself is run instead; `python -m pipeline.history.schema`
writes the file anew.
"""

import importlib.metadata
import importlib.util
import re
import sqlite3
import subprocess
import sys
from functools import cache
from pathlib import Path

from pipeline.errors import PipelineError
from pipeline.files import write_atomic

SCRIPT = Path(__file__).with_name("schema.sql")


def create(path: Path) -> None:
    """Make an empty MLflow database at `path`, of the schema that the installed MLflow expects."""
    script = SCRIPT.read_text(encoding="utf-8")
    if f"VALUES('{installed_heads()[0]}')" in script:
        connection = sqlite3.connect(path)
        connection.executescript(f"BEGIN; {script} COMMIT;")
        connection.close()
    else:
        upgrade(path)


def upgrade(path: Path) -> None:
    """Let MLflow bring a database's schema up to its own version, or make it."""
    command = [sys.executable, "-m", "mlflow", "db", "upgrade", f"sqlite:///{path.as_posix()}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stderr.strip() or "no message").splitlines()[-1]
        raise PipelineError(f"MLflow could not bring {path} up to its version ({last}).")


def head(connection: sqlite3.Connection) -> str | None:
    """Return a database's schema version; None if it is not one of MLflow's."""
    try:
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.OperationalError:
        return None
    return str(row[0]) if row else None


@cache
def installed_heads() -> tuple[str, ...]:
    """Return the schema versions that the installed MLflow knows, its own first.

    Read out of its migration scripts: a version that no other builds on is the newest.
    """
    package = importlib.util.find_spec("mlflow")
    if package is None or not package.submodule_search_locations:
        raise PipelineError("MLflow is not installed: install requirements/pipeline.txt.")
    scripts = Path(package.submodule_search_locations[0], "store", "db_migrations", "versions")
    known: set[str] = set()
    built_on: set[str] = set()
    for path in scripts.glob("*.py"):
        text = path.read_text(encoding="utf-8")
        known.update(re.findall(r"^revision = [\"'](\w+)", text, re.MULTILINE))
        built_on.update(re.findall(r"^down_revision = [\"'](\w+)", text, re.MULTILINE))
    return (*(known - built_on), *sorted(built_on))


def _dump() -> str:
    """Let MLflow make a database and return the statements that make the same."""
    path = SCRIPT.with_suffix(".db")
    try:
        upgrade(path)
        connection = sqlite3.connect(path)
        # One line each, without BEGIN and COMMIT.
        statements = [" ".join(line.split()) for line in list(connection.iterdump())[1:-1]]
        connection.close()
    finally:
        path.unlink(missing_ok=True)
    first = f"-- Made by MLflow {importlib.metadata.version('mlflow')}: python -m {__spec__.name}"
    return "\n".join([first, *statements, ""])


if __name__ == "__main__":
    write_atomic(SCRIPT, _dump())
