"""The log of what was asked and answered: SQLite, written in batches, never in a
request's way.
"""

import logging
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any, NamedTuple

import orjson

from app.errors import ApiError
from app.observability.batcher import Batcher
from app.observability.metrics import Metrics
from app.serving.model import Model, Prediction
from app.serving.validation import Record
from app.settings import Settings
from core import tracing

SECONDS = 0.25
TIDY_SECONDS = 60.0
PATIENCE_SECONDS = 2.0
SCHEMA = """
CREATE TABLE IF NOT EXISTS predictions (
    id INTEGER PRIMARY KEY, time REAL NOT NULL, request_id TEXT NOT NULL,
    task TEXT NOT NULL, version INTEGER NOT NULL, run_id TEXT NOT NULL,
    features TEXT NOT NULL, prediction TEXT NOT NULL, truth TEXT
);
CREATE INDEX IF NOT EXISTS predictions_by_request ON predictions (request_id);
CREATE INDEX IF NOT EXISTS predictions_by_model ON predictions (task, version);
CREATE INDEX IF NOT EXISTS predictions_with_truth ON predictions (task, version)
    WHERE truth IS NOT NULL;
"""
# One statement a batch: row by row, sqlite3 would take Python's lock from the requests
# each time.
INSERT = f"""
INSERT INTO predictions (time, request_id, task, version, run_id, features, prediction)
SELECT {", ".join(f"json_extract(value, '$[{place}]')" for place in range(7))} FROM json_each(?)
"""
TIDY = (
    "DELETE FROM predictions WHERE time < ? OR id <= (SELECT max(id) FROM"
    " predictions) - ?"
)
LATEST = (
    "SELECT * FROM predictions WHERE ? IS NULL OR task = ? ORDER BY id DESC LIMIT ?"
)
NEWEST = (
    "SELECT * FROM predictions WHERE task = ? AND version = ? ORDER BY id DESC LIMIT ?"
)
WITH_TRUTH = NEWEST.replace("ORDER", "AND truth IS NOT NULL ORDER")
# A client may use an id again: what it means then is the last request.
REQUEST = """
SELECT * FROM predictions WHERE request_id = ?
AND time = (SELECT max(time) FROM predictions WHERE request_id = ?) ORDER BY id
"""
log = logging.getLogger(__name__)

# What the rows of one request begin with, its records and its predictions.
Answered = tuple[tuple[Any, ...], list[Record], list[Prediction]]


class Row(NamedTuple):
    """A prediction as it was logged, with its true value once that is known."""

    id: int
    time: float
    request_id: str
    task: str
    version: int
    run_id: str
    features: Record
    prediction: Prediction
    truth: Any


class PredictionLog:
    """Rows of what was asked, answered and came true, the newest of them kept.

    Whatever happens to the database, predictions go on: what is lost is counted.
    """

    def __init__(self, settings: Settings, metrics: Metrics) -> None:
        self.path, self.metrics = settings.prediction_log, metrics
        self._rows, self._days = (
            settings.prediction_log_rows,
            settings.prediction_log_days,
        )
        self._tidied = 0.0
        self._connection: sqlite3.Connection | None = None
        try:  # whoever looks finds the tables
            self._connect()
        except (sqlite3.Error, OSError):  # said when there is something to write
            self._disconnect()
        limit = settings.prediction_log_pending
        self._batches: Batcher[Answered] = Batcher(self._write, limit, SECONDS)
        metrics.pending.set_function(lambda: self._batches.weight)

    def add(
        self,
        request_id: str,
        model: Model,
        records: list[Record],
        predictions: list[Prediction],
    ) -> None:
        """Take one request's predictions; count them as dropped if too many wait
        already.
        """
        of = model.manifest
        about = (time.time(), request_id, of.task, of.version, of.run_id)
        if not self._batches.add((about, records, predictions), len(records)):
            self.metrics.dropped.labels("full").inc(len(records))

    def close(self) -> None:
        """Write what is left."""
        self._batches.close()
        self._disconnect()

    def latest(self, limit: int, task: str | None) -> list[Row]:
        """Return the last predictions, newest first; all methods that look raise the
        same.

        Raises:
            ApiError: 503 if the database cannot be read.
        """
        return self._select(LATEST, task, task, limit)

    def newest(self, model: Model, limit: int, known: bool = False) -> list[Row]:
        """Return a model's last predictions, newest first; or those with a true value
        alone.
        """
        about = model.manifest
        return self._select(
            WITH_TRUTH if known else NEWEST, about.task, about.version, limit
        )

    def request(self, request_id: str) -> list[Row]:
        """Return what one request was answered with, in the order of its records."""
        return self._select(REQUEST, request_id, request_id)

    def add_truth(self, rows: list[Row], truth: list[Any]) -> None:
        """Keep the true values of predictions."""
        pairs = [
            (orjson.dumps(value), row.id)
            for value, row in zip(truth, rows, strict=True)
        ]
        with self._reading() as connection, connection:
            connection.execute(
                "PRAGMA synchronous = NORMAL"
            )  # as what writes the predictions
            connection.executemany(
                "UPDATE predictions SET truth = ? WHERE id = ?", pairs
            )

    def _select(self, statement: str, *values: Any) -> list[Row]:
        if not self.path.is_file():
            return []
        with self._reading() as connection:
            found = connection.execute(statement, values).fetchall()
        return [
            Row(*row[:6], *(orjson.loads(text or "null") for text in row[6:]))
            for row in found
        ]

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        try:
            with closing(
                sqlite3.connect(self.path, timeout=PATIENCE_SECONDS)
            ) as connection:
                yield connection
        except sqlite3.Error as error:
            raise ApiError(
                503, f"the prediction log cannot be read: {error}."
            ) from error

    def _write(self, batch: list[Answered]) -> None:
        rows = [
            (*about, *pair)
            for about, *both in batch
            for pair in zip(*both, strict=True)
        ]
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
        # The batches' thread opens it; the last batch is written and it is closed by
        # another.
        connection = self._connection = sqlite3.connect(
            self.path, timeout=PATIENCE_SECONDS, check_same_thread=False
        )
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        _add_truth_column(connection)
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
        connection.execute(TIDY, (now - self._days * 86_400, self._rows))


def _add_truth_column(connection: sqlite3.Connection) -> None:
    """Bring a file of an older version, which knew no true values, up to date."""
    columns = [row[1] for row in connection.execute("PRAGMA table_info(predictions)")]
    if columns and "truth" not in columns:
        connection.execute("ALTER TABLE predictions ADD COLUMN truth TEXT")


def record_predictions(
    prediction_log: PredictionLog,
    request_id: str,
    model: Model,
    records: list[Record],
    predictions: list[Prediction],
) -> None:
    """Log and count the predictions of one request."""
    with tracing.span("prediction log", model.identity, len(records)):
        prediction_log.add(request_id, model, records, predictions)
    prediction_log.metrics.count(model, predictions)
