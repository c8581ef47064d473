"""The log of predictions: whatever happens to its database, it is counted and nothing
raises.
"""

import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from app.errors import ApiError
from app.observability import prediction_log, prediction_sql
from app.observability.metrics import Metrics
from app.observability.prediction_log import PredictionLog
from app.serving.model import Model
from app.settings import Settings
from tests.conftest import posix
from tests.support.serving import HOUSE

Open = Callable[..., PredictionLog]


@pytest.fixture
def opened(
    settings: Callable[..., Settings], metrics: Metrics, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Open]:
    """Return what opens the log; it writes when told to, and waits for nobody long."""
    monkeypatch.setattr(prediction_log, "SECONDS", 60)
    monkeypatch.setattr(prediction_sql, "TIMEOUT_SECONDS", 0.1)
    logs: list[PredictionLog] = []

    def make(**changes: object) -> PredictionLog:
        logs.append(PredictionLog(settings(**changes), metrics))
        return logs[-1]

    yield make
    for log in logs:
        log.close()


def rows(path: Path) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("SELECT * FROM predictions ORDER BY id").fetchall()


def count(metrics: Metrics, name: str, **labels: str) -> float:
    return metrics.registry.get_sample_value(name, labels) or 0


def fill(log: PredictionLog, model: Model, times: int, name: str = "r") -> None:
    for number in range(times):
        log.add(f"{name}-{number}", model, [HOUSE], model.predict([HOUSE]))


def test_ten_thousand_predictions_are_ten_thousand_rows(
    opened: Open, metrics: Metrics, housing: Model
) -> None:
    log = opened()
    fill(log, housing, 5_000)
    predictions = housing.predict([HOUSE] * 5_000)
    log.add("batch", housing, [HOUSE] * 5_000, predictions)
    log.close()
    found = rows(log.path)
    assert len(found) == 10_000
    assert [row[2] for row in found[:5_000]] == [
        f"r-{number}" for number in range(5_000)
    ]
    assert count(metrics, "prediction_log_rows_total") == 10_000


def test_a_row_says_what_was_asked_and_answered(opened: Open, housing: Model) -> None:
    log = opened()
    before = time.time()
    fill(log, housing, 2)
    log.close()
    newest, older = log.latest(10, "housing")
    assert before <= newest.time <= time.time()
    assert newest._asdict() == {
        **{"time": newest.time, "truth": None},
        **{"id": 2, "request_id": "r-1", "task": "housing", "features": HOUSE},
        **{"version": housing.manifest.version, "run_id": housing.manifest.run_id},
        "prediction": {"prediction": pytest.approx(float(housing.run([HOUSE])[0, 0]))},
    }
    assert older.request_id == "r-0"
    assert log.latest(1, None)[0].id == 2
    assert log.latest(10, "iris") == []


def test_what_does_not_fit_the_queue_is_counted(
    opened: Open, metrics: Metrics, housing: Model
) -> None:
    log = opened(prediction_log_pending=3)
    fill(log, housing, 5)
    log.close()
    assert len(rows(log.path)) == 3
    assert count(metrics, "prediction_log_dropped_total", reason="full") == 2


def test_a_locked_database_is_counted_and_written_again_once_it_is_free(
    opened: Open, metrics: Metrics, housing: Model
) -> None:
    log = opened()
    fill(log, housing, 1)
    log._batches._flush()
    with closing(sqlite3.connect(log.path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        fill(log, housing, 2, "lost")
        log._batches._flush()
        other.execute("ROLLBACK")
    fill(log, housing, 1, "after")
    log.close()
    assert [row[2] for row in rows(log.path)] == ["r-0", "after-0"]
    assert count(metrics, "prediction_log_dropped_total", reason="failed") == 2
    assert count(metrics, "prediction_log_rows_total") == 2


def test_a_full_database_is_counted(
    opened: Open, metrics: Metrics, housing: Model
) -> None:
    log = opened()
    fill(log, housing, 1)
    log._batches._flush()
    assert log._connection
    log._connection.execute(
        "PRAGMA max_page_count = 1"
    )  # what SQLite says when the disk is full
    fill(log, housing, 1_000, "lost")
    log._batches._flush()
    assert count(metrics, "prediction_log_dropped_total", reason="failed") == 1_000
    fill(log, housing, 1, "after")
    log.close()
    assert [row[2] for row in rows(log.path)] == ["r-0", "after-0"]


@pytest.mark.parametrize("place", ["file/predictions.db", "folder", "text"])
def test_a_path_that_cannot_be_written_is_counted(
    opened: Open, metrics: Metrics, housing: Model, tmp_path: Path, place: str
) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    (tmp_path / "text").write_text(
        "no database, but longer than the header of one " * 10
    )
    log = opened(prediction_log=tmp_path / place)
    fill(log, housing, 7)
    log.close()
    assert count(metrics, "prediction_log_dropped_total", reason="failed") == 7


@posix
def test_no_connection_is_left_open_by_failures(
    opened: Open, housing: Model, tmp_path: Path
) -> None:
    (tmp_path / "text").write_text(
        "no database, but longer than the header of one " * 10
    )
    log = opened(prediction_log=tmp_path / "text")
    for _ in range(20):
        fill(log, housing, 1)
        log._batches._flush()
    opens = [
        os.readlink(path) for path in Path("/proc/self/fd").iterdir() if path.exists()
    ]
    assert str(tmp_path / "text") not in opens


def test_only_so_many_rows_are_kept(opened: Open, housing: Model) -> None:
    log = opened(prediction_log_rows=10)
    fill(log, housing, 25)
    log.close()
    assert [row[2] for row in rows(log.path)] == [
        f"r-{number}" for number in range(15, 25)
    ]


def test_rows_that_are_too_old_go(opened: Open, housing: Model) -> None:
    log = opened(prediction_log_days=2)
    fill(log, housing, 2)
    log._batches._flush()
    with closing(sqlite3.connect(log.path)) as connection, connection:
        connection.execute(
            "UPDATE predictions SET time = time - 3 * 86400 WHERE id = 1"
        )
    log._tidied = 0
    fill(log, housing, 1, "new")
    log.close()
    assert [row[2] for row in rows(log.path)] == ["r-1", "new-0"]


def test_no_database_is_an_empty_list_and_a_broken_one_says_so(
    opened: Open, tmp_path: Path
) -> None:
    assert opened().latest(10, None) == []
    (tmp_path / "text").write_text(
        "no database, but longer than the header of one " * 10
    )
    with pytest.raises(ApiError, match="file is not a database") as caught:
        opened(prediction_log=tmp_path / "text").latest(10, None)
    assert caught.value.status == 503
