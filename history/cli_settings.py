"""What the commands of a history work on."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from history.history import History
from history.location import Project
from history.postgres_address import is_address


@dataclass(frozen=True)
class Settings:
    """The history and database of the commands; `context.obj` must be one."""

    mlruns: Path
    database: Path
    project: Project

    def target(self, db: str | None) -> Path | str:
        """Return the database that a user has named, or the usual one.

        It is a file, or the address of a database in PostgreSQL.
        """
        if not db:
            return self.database
        return db if is_address(db) else Path(db)

    @contextmanager
    def history(self) -> Iterator[History]:
        """Open the history for one command."""
        with History.open(self.mlruns, self.project) as history:
            yield history
