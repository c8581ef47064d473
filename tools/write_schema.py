"""Writes `history/schema.sql`, for maintainers who move to a new version of MLflow.

Run it from anywhere: `python tools/write_schema.py`. With `--check` it writes nothing
and ends with 1 if the file is not what the installed MLflow makes.
"""

import importlib.metadata
import re
import sqlite3
import sys
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from core.files import write_atomic  # noqa: E402
from history.database import SCHEMA, run_migrations  # noqa: E402
from scripts import commands  # noqa: E402


def statements() -> str:
    """Return the statements that make MLflow's database, one a line."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "mlflow.db"
        run_migrations(path)
        with closing(sqlite3.connect(path)) as connection:
            dump = list(connection.iterdump())
    statements = dump[1:-1]  # without BEGIN and COMMIT
    lines = [" ".join(statement.split()) for statement in statements]
    version = importlib.metadata.version("mlflow")
    comment = f"-- Made by MLflow {version}: tools/write_schema.py"
    return "\n".join([comment, *lines, ""])


def words(text: str) -> list[list[str]]:
    """Return each statement's words, sorted: MLflow adds constraints in any order."""
    statements = []
    for line in text.splitlines():
        statement = re.findall(r"\w+", line)
        statements.append(sorted(statement))
    return sorted(statements)


def main(
    check: Annotated[bool, typer.Option("--check", help="Only compare.")] = False,
) -> None:
    """Write `history/schema.sql` as the installed MLflow makes it.

    With `--check` it is only compared: the exit status is 1 if it differs.
    """
    schema = statements()
    if not check:
        write_atomic(SCHEMA, schema)
    elif words(schema) != words(SCHEMA.read_text(encoding="utf-8")):
        raise typer.Exit(1)


if __name__ == "__main__":
    sys.exit(commands.run(main))
