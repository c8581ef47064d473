"""A small MLflow store to import runs from."""

import sqlite3
from contextlib import closing
from pathlib import Path

from tests.support.history_factories import new_store

PARENT = "mlflow.parentRunId"


class SourceStore:
    """An MLflow store in a folder, with one experiment."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.uri, self.client, self.experiment = new_store(folder)

    def log(
        self,
        *files: str,
        parent: str = "",
        status: str | None = "FINISHED",
        tags: dict[str, str] | None = None,
    ) -> str:
        """Log a run with files of these names, and return its ID.

        It has not ended if `status` is None.
        """
        tags = dict(tags or {})
        if parent:
            tags[PARENT] = parent
        run_id = str(self.client.create_run(self.experiment, tags=tags).info.run_id)
        for file in files:
            self._write(run_id, file)
        if status:
            self.client.set_terminated(run_id, status)
        return run_id

    def _write(self, run_id: str, file: str) -> None:
        """Write a file straight into the folder: MLflow does not accept every name."""
        artifacts = self.folder / "artifacts" / run_id / "artifacts"
        path = artifacts / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x", encoding="utf-8")

    def collect_garbage(self, run_id: str) -> None:
        """Remove a run's rows, as `mlflow gc` does."""
        with closing(sqlite3.connect(self.folder / "mlflow.db")) as connection:
            for table in ("tags", "runs"):
                statement = f"DELETE FROM {table} WHERE run_uuid = ?"
                connection.execute(statement, (run_id,))
            connection.commit()
