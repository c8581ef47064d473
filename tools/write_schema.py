"""Writes `history/schema.sql` anew, for whoever lets the project follow a new MLflow.

Run it from anywhere: `python tools/write_schema.py`. With `--check` it writes nothing
and ends with 1 if the file is not what the installed MLflow makes.
"""

import argparse
import importlib.metadata
import re
import sqlite3
import sys
import tempfile
from contextlib import closing
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from core.files import write_atomic  # noqa: E402
from history.database import SCHEMA, run_migrations  # noqa: E402
from scripts import console  # noqa: E402


def statements() -> str:
    """Let MLflow make a database and return the statements that make the same, one a
    line.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "mlflow.db"
        run_migrations(path)
        with closing(sqlite3.connect(path)) as connection:
            # Without BEGIN and COMMIT.
            lines = [
                " ".join(line.split()) for line in list(connection.iterdump())[1:-1]
            ]
    made_by = (
        f"-- Made by MLflow {importlib.metadata.version('mlflow')}:"
        " tools/write_schema.py"
    )
    return "\n".join([made_by, *lines, ""])


def words(text: str) -> list[list[str]]:
    """Return each statement's words in order: MLflow makes indexes and constraints in
    any order.
    """
    return sorted(sorted(re.findall(r"\w+", line)) for line in text.splitlines())


def main() -> int:
    """Write the file, or compare it."""
    parser = argparse.ArgumentParser(description=console.first_line(__doc__))
    parser.add_argument("--check", action="store_true", help="only compare")
    options = parser.parse_args()
    made = statements()
    if options.check:
        return int(words(made) != words(SCHEMA.read_text(encoding="utf-8")))
    write_atomic(SCHEMA, made)
    return 0


if __name__ == "__main__":
    sys.exit(console.run(main))
