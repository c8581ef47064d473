"""The log of what was asked and answered: SQLite, written in batches, never in a request's way."""

import logging
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any, NamedTuple

import orjson

from app import tracing
from app.batcher import Batcher
from app.errors import ApiError
from app.metrics import Metrics
from app.model import Model, Prediction
from app.records import Record
from app.settings import Settings

SECONDS = 0.25
TIDY_SECONDS = 60.0
PATIENCE_SECONDS = 2.0
SCHEMA = """
CREATE TABLE IF NOT EXISTS predictions (
    id INTEGER PRIMARY KEY,
    time REAL NOT NULL,
    request_id TEXT NOT NULL,
    task TEXT NOT NULL,
    version INTEGER NOT NULL,
    run_id TEXT NOT NULL,
    features TEXT NOT NULL,
    prediction TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS predictions_by_request ON predictions (request_id);
"""
# One statement a batch: row by row, sqlite3 would take Python's lock from the requests each time.
INSERT = """
INSERT INTO predictions (time, request_id, task, version, run_id, features, prediction)
SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]'), json_extract(value, '$[2]'),
       json_extract(value, '$[3]'), json_extract(value, '$[4]'), json_extract(value, '$[5]'),
       json_extract(value, '$[6]')
FROM json_each(?)
"""
log = logging.getLogger(__name__)


LATEST = "SELECT * FROM predictions WHERE ? IS NULL OR task = ? ORDER BY id DESC LIMIT ?"


class Answered(NamedTuple):
    """One request's records with their predictions."""

    time: float
    request_id: str
    model: Model
    records: list[Record]
    predictions: list[Prediction]


class PredictionLog:
    """Rows of (time, request, task, version, run, features, prediction), the newest of them kept.

    Whatever happens to the database, predictions go on: what is lost is counted.
    """

    def __init__(self, settings: Settings, metrics: Metrics) -> None:
        self.path, self.metrics = settings.prediction_log, metrics
        self._rows, self._days = settings.prediction_log_rows, settings.prediction_log_days
        self._tidied = 0.0
        self._connection: sqlite3.Connection | None = None
        self._batches: Batcher[Answered] = Batcher(
            self._write, settings.prediction_log_pending, SECONDS
        )

    def add(
        self, request_id: str, model: Model, records: list[Record], predictions: list[Prediction]
    ) -> None:
        """Take one request's predictions; count them as dropped if too many wait already."""
        answered = Answered(time.time(), request_id, model, records, predictions)
        if not self._batches.add(answered, len(records)):
            self.metrics.dropped.labels("full").inc(len(records))

    def close(self) -> None:
        """Write what is left."""
        self._batches.close()
        self._disconnect()

    def latest(self, limit: int, task: str | None) -> list[dict[str, Any]]:
        """Return the last predictions, newest first.

        Raises:
            ApiError: 503 if the database cannot be read.
        """
        if not self.path.is_file():
            return []
        try:
            with closing(sqlite3.connect(self.path, timeout=PATIENCE_SECONDS)) as connection:
                connection.row_factory = sqlite3.Row
                found = connection.execute(LATEST, (task, task, limit)).fetchall()
        except sqlite3.Error as error:
            raise ApiError(503, f"the prediction log cannot be read: {error}.") from error
        decoded = ("features", "prediction")
        return [
            {key: orjson.loads(row[key]) if key in decoded else row[key] for key in row.keys()}
            for row in found
        ]

    def _write(self, batch: list[Answered]) -> None:
        rows = [row for answered in batch for row in _rows(answered)]
        text = orjson.dumps(rows, option=orjson.OPT_SERIALIZE_NUMPY).decode()
        try:
            connection = self._connection or self._connect()
            with connection, tracing.span("prediction log write", {}, len(rows)):
                connection.execute(INSERT, (text,))
                self._tidy(connection)
        except (sqlite3.Error, OSError) as error:
            self._disconnect()  # the file may have been replaced: begin anew
            self.metrics.dropped.labels("failed").inc(len(rows))
            extra = {"rows": len(rows), "reason": str(error), "file": str(self.path)}
            log.error("predictions could not be logged", extra=extra)
        else:
            self.metrics.logged.inc(len(rows))

    def _connect(self) -> sqlite3.Connection:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        # The batches' thread opens it; the last batch is written and it is closed by another.
        connection = self._connection = sqlite3.connect(
            self.path, timeout=PATIENCE_SECONDS, check_same_thread=False
        )
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.executescript(SCHEMA)
        return connection

    def _disconnect(self) -> None:
        if self._connection:
            self._connection.close()
        self._connection = None

    def _tidy(self, connection: sqlite3.Connection) -> None:
        """Once a minute let the rows go that are too old or too many."""
        now = time.time()
        if now - self._tidied < TIDY_SECONDS:
            return
        self._tidied = now
        connection.execute("DELETE FROM predictions WHERE time < ?", (now - self._days * 86_400,))
        connection.execute(
            "DELETE FROM predictions WHERE id <= (SELECT max(id) FROM predictions) - ?",
            (self._rows,),
        )


def _rows(answered: Answered) -> Iterator[list[Any]]:
    manifest = answered.model.manifest
    about = [answered.time, answered.request_id, manifest.task, manifest.version, manifest.run_id]
    for record, prediction in zip(answered.records, answered.predictions, strict=True):
        yield [*about, record, prediction]
