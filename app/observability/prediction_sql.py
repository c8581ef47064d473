"""The tables of the prediction log, and the statements that read and write them."""

import sqlite3
from pathlib import Path

TIMEOUT_SECONDS = 2.0
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
# One statement per batch: row by row, sqlite3 would take Python's lock from the
# requests each time.
INSERT = """
INSERT INTO predictions (time, request_id, task, version, run_id, features, prediction)
SELECT
    json_extract(value, '$[0]'), json_extract(value, '$[1]'),
    json_extract(value, '$[2]'), json_extract(value, '$[3]'),
    json_extract(value, '$[4]'), json_extract(value, '$[5]'),
    json_extract(value, '$[6]')
FROM json_each(?)
"""
DELETE_OLD = """
DELETE FROM predictions
WHERE time < ? OR id <= (SELECT max(id) FROM predictions) - ?
"""
SELECT_LATEST = """
SELECT * FROM predictions WHERE ? IS NULL OR task = ? ORDER BY id DESC LIMIT ?
"""
SELECT_OF_MODEL = """
SELECT * FROM predictions WHERE task = ? AND version = ? ORDER BY id DESC LIMIT ?
"""
SELECT_WITH_TRUTH = """
SELECT * FROM predictions WHERE task = ? AND version = ? AND truth IS NOT NULL
ORDER BY id DESC LIMIT ?
"""
# A client may use an ID again; then it means the last request.
SELECT_REQUEST = """
SELECT * FROM predictions WHERE request_id = ?
AND time = (SELECT max(time) FROM predictions WHERE request_id = ?) ORDER BY id
"""
UPDATE_TRUTH = "UPDATE predictions SET truth = ? WHERE id = ?"
# A lost power supply may cost the newest rows; the file stays whole.
SYNCHRONOUS = "PRAGMA synchronous = NORMAL"


def connect_to_read(path: Path) -> sqlite3.Connection:
    """Open the log to read it or to add ground truth."""
    return sqlite3.connect(path, timeout=TIMEOUT_SECONDS)


def connect_to_write(path: Path) -> sqlite3.Connection:
    """Open the log, and create its folder and tables if need be."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # The thread of the batches opens it; another one writes the last batch.
    connection = sqlite3.connect(path, timeout=TIMEOUT_SECONDS, check_same_thread=False)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(SYNCHRONOUS)
        _add_truth_column(connection)
        connection.executescript(SCHEMA)
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _add_truth_column(connection: sqlite3.Connection) -> None:
    """Upgrade the file of an older version, which stored no ground truth."""
    columns = [row[1] for row in connection.execute("PRAGMA table_info(predictions)")]
    if columns and "truth" not in columns:
        connection.execute("ALTER TABLE predictions ADD COLUMN truth TEXT")
