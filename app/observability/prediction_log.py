"""The log of predictions: SQLite, written in batches, off the path of the requests."""

import logging
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any, NamedTuple

import orjson

from app.errors import ApiError
from app.observability import prediction_sql as sql
from app.observability.batcher import Batcher
from app.observability.metrics import Metrics
from app.serving.model import Model, Prediction
from app.serving.validation import Record
from app.settings import Settings
from core import tracing

SECONDS = 0.25
TIDY_SECONDS = 60.0
SECONDS_OF_DAY = 86_400
log = logging.getLogger(__name__)


class Answer(NamedTuple):
    """One request: the first columns of its rows, its records and its predictions."""

    columns: tuple[float, str, str, int, str]
    records: list[Record]
    predictions: list[Prediction]


class Row(NamedTuple):
    """A logged prediction; `truth` is None until its ground truth was sent."""

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
    """The newest predictions, with their records and their ground truth.

    Whatever happens to the database, predictions go on; lost rows are counted.
    """

    def __init__(self, settings: Settings, metrics: Metrics) -> None:
        self.path = settings.prediction_log
        self.metrics = metrics
        self._max_rows = settings.prediction_log_rows
        self._max_days = settings.prediction_log_days
        self._tidied = 0.0
        self._connection: sqlite3.Connection | None = None
        try:  # so that readers find the tables
            self._connect()
        except (sqlite3.Error, OSError):  # reported when there is something to write
            self._disconnect()
        limit = settings.prediction_log_pending
        self._batches: Batcher[Answer] = Batcher(self._write, limit, SECONDS)
        metrics.pending.set_function(lambda: self._batches.weight)

    def add(
        self,
        request_id: str,
        model: Model,
        records: list[Record],
        predictions: list[Prediction],
    ) -> None:
        """Take the predictions of one request; count them as dropped if it is full."""
        manifest = model.manifest
        columns = (
            time.time(),
            request_id,
            manifest.task,
            manifest.version,
            manifest.run_id,
        )
        answer = Answer(columns, records, predictions)
        if not self._batches.add(answer, len(records)):
            self.metrics.dropped.labels("full").inc(len(records))

    def close(self) -> None:
        """Write what is left."""
        self._batches.close()
        self._disconnect()

    def latest(self, limit: int, task: str | None) -> list[Row]:
        """Return the last predictions, newest first; of all tasks if it is None.

        Raises:
            ApiError: 503 if the database can't be read, as all reading methods do.
        """
        return self._select(sql.SELECT_LATEST, task, task, limit)

    def newest(self, model: Model, limit: int, with_truth: bool = False) -> list[Row]:
        """Return the last predictions of a model, newest first.

        Args:
            model: Its task and version are looked for.
            limit: The most rows.
            with_truth: Whether to return only rows that have a ground truth.
        """
        statement = sql.SELECT_WITH_TRUTH if with_truth else sql.SELECT_OF_MODEL
        manifest = model.manifest
        return self._select(statement, manifest.task, manifest.version, limit)

    def request(self, request_id: str) -> list[Row]:
        """Return the predictions of one request, in the order of its records."""
        return self._select(sql.SELECT_REQUEST, request_id, request_id)

    def add_truth(self, rows: list[Row], truth: list[Any]) -> None:
        """Store the ground truth of rows, one value for each."""
        pairs = [
            (orjson.dumps(value), row.id)
            for value, row in zip(truth, rows, strict=True)
        ]
        with self._reading() as connection, connection:
            connection.execute(sql.SYNCHRONOUS)
            connection.executemany(sql.UPDATE_TRUTH, pairs)

    def _select(self, statement: str, *values: Any) -> list[Row]:
        if not self.path.is_file():
            return []
        with self._reading() as connection:
            rows = connection.execute(statement, values).fetchall()
        return [_parse(row) for row in rows]

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        try:
            with closing(sql.connect_to_read(self.path)) as connection:
                yield connection
        except sqlite3.Error as error:
            message = f"the prediction log cannot be read: {error}."
            raise ApiError(503, message) from error

    def _write(self, batch: list[Answer]) -> None:
        rows: list[tuple[Any, ...]] = []
        for columns, *values in batch:
            for record, prediction in zip(*values, strict=True):
                rows.append((*columns, record, prediction))
        text = orjson.dumps(rows, option=orjson.OPT_SERIALIZE_NUMPY).decode()
        try:
            connection = self._connection or self._connect()
            with connection, tracing.span("prediction log write", {}, len(rows)):
                connection.execute(sql.INSERT, (text,))
                self._tidy(connection)
        except (sqlite3.Error, OSError) as error:
            self._disconnect()  # the file may have been replaced: open it again
            self.metrics.dropped.labels("failed").inc(len(rows))
            extra = {
                "rows": len(rows),
                "reason": str(error),
                "file": str(self.path),
            }
            log.error("predictions could not be logged", extra=extra)
        else:
            self.metrics.logged.inc(len(rows))

    def _connect(self) -> sqlite3.Connection:
        self._connection = sql.connect_to_write(self.path)
        return self._connection

    def _disconnect(self) -> None:
        if self._connection:
            self._connection.close()
        self._connection = None

    def _tidy(self, connection: sqlite3.Connection) -> None:
        """Once a minute, delete the rows that are too old or too many."""
        now = time.time()
        if now - self._tidied < TIDY_SECONDS:
            return
        self._tidied = now
        oldest = now - self._max_days * SECONDS_OF_DAY
        connection.execute(sql.DELETE_OLD, (oldest, self._max_rows))


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


def _parse(row: tuple[Any, ...]) -> Row:
    *columns, features, prediction, truth = row
    parsed = [orjson.loads(text or "null") for text in (features, prediction, truth)]
    return Row(*columns, *parsed)
