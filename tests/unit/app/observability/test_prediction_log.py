"""The prediction log: no failure of its database stops predictions."""

import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from app.errors import ApiError
from app.observability import prediction_log, prediction_sql
from app.observability.metrics import Metrics
from app.observability.prediction_log import PredictionLog
from app.serving.model import Model
from tests.conftest import posix
from tests.support.service import MODELS
from tests.support.serving import HOUSE
from tests.unit.app.conftest import MakeSettings

Open = Callable[..., PredictionLog]
NO_DATABASE = "not a database, but longer than the header of one " * 10


@pytest.fixture
def opened(
    settings: MakeSettings, metrics: Metrics, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Open]:
    """Return a function that opens a log, which writes when `flush` is called."""
    monkeypatch.setattr(prediction_log, "SECONDS", 60)
    monkeypatch.setattr(prediction_sql, "TIMEOUT_SECONDS", 0.1)
    logs: list[PredictionLog] = []

    def open_log(**changes: object) -> PredictionLog:
        log = PredictionLog(settings(**changes), metrics)
        logs.append(log)
        return log

    yield open_log
    for log in logs:
        log.close()


def flush(log: PredictionLog) -> None:
    log._batches._flush()


def request_ids(path: Path) -> list[str]:
    """Return the request of each row, in the order of the rows."""
    statement = "SELECT request_id FROM predictions ORDER BY id"
    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute(statement).fetchall()
    return [request_id for (request_id,) in rows]


def logged(metrics: Metrics) -> float | None:
    """Return how many predictions were counted as logged."""
    return metrics.registry.get_sample_value("prediction_log_rows_total")


def dropped(metrics: Metrics, reason: str) -> float | None:
    """Return how many predictions were counted as lost for a reason."""
    labels = {"reason": reason}
    return metrics.registry.get_sample_value("prediction_log_dropped_total", labels)


def fill(log: PredictionLog, model: Model, times: int, name: str = "r") -> None:
    for number in range(times):
        predictions = model.predict([HOUSE])
        log.add(f"{name}-{number}", model, [HOUSE], predictions)


def test_ten_thousand_predictions_are_ten_thousand_rows(
    opened: Open, metrics: Metrics, housing: Model
) -> None:
    log = opened()
    fill(log, housing, 5_000)
    records = [HOUSE] * 5_000
    predictions = housing.predict(records)
    log.add("batch", housing, records, predictions)
    log.close()
    of_requests = [f"r-{number}" for number in range(5_000)]
    of_batch = ["batch"] * 5_000
    assert request_ids(log.path) == of_requests + of_batch
    assert logged(metrics) == 10_000


def test_a_row_holds_the_record_and_the_prediction(
    opened: Open, housing: Model
) -> None:
    log = opened()
    before = time.time()
    fill(log, housing, 2)
    log.close()
    newest, older = log.latest(10, "housing")
    value = float(housing.run([HOUSE])[0, 0])
    assert before <= newest.time <= time.time()
    assert newest._asdict() == {
        "id": 2,
        "time": newest.time,
        "request_id": "r-1",
        "task": "housing",
        "version": housing.manifest.version,
        "run_id": housing.manifest.run_id,
        "features": HOUSE,
        "prediction": {"prediction": pytest.approx(value)},
        "truth": None,
    }
    assert older.request_id == "r-0"


def test_the_latest_rows_are_those_of_the_task_or_of_all(
    opened: Open, housing: Model
) -> None:
    log = opened()
    fill(log, housing, 2)
    log.close()
    (latest,) = log.latest(1, None)
    assert latest.id == 2
    assert log.latest(10, "iris") == []


def test_the_newest_rows_of_a_model_are_those_of_its_version(
    opened: Open, housing: Model
) -> None:
    older = Model(MODELS / "housing")
    older.manifest = older.manifest.model_copy(update={"version": 1})
    log = opened()
    fill(log, older, 5, "older")
    fill(log, housing, 3, "newer")
    log.close()
    rows = log.newest(housing, 100)
    assert [row.request_id for row in rows] == ["newer-2", "newer-1", "newer-0"]
    assert log.newest(housing, 2) == rows[:2]


def test_predictions_beyond_the_limit_are_counted(
    opened: Open, metrics: Metrics, housing: Model
) -> None:
    log = opened(prediction_log_pending=3)
    fill(log, housing, 5)
    log.close()
    assert request_ids(log.path) == ["r-0", "r-1", "r-2"]
    assert dropped(metrics, "full") == 2


def test_a_locked_database_is_written_again_once_it_is_free(
    opened: Open, metrics: Metrics, housing: Model
) -> None:
    log = opened()
    fill(log, housing, 1)
    flush(log)
    with closing(sqlite3.connect(log.path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        fill(log, housing, 2, "lost")
        flush(log)
        other.execute("ROLLBACK")
    fill(log, housing, 1, "after")
    log.close()
    assert request_ids(log.path) == ["r-0", "after-0"]
    assert dropped(metrics, "failed") == 2
    assert logged(metrics) == 2


def test_a_full_database_is_counted(
    opened: Open, metrics: Metrics, housing: Model
) -> None:
    log = opened()
    fill(log, housing, 1)
    flush(log)
    assert log._connection
    # The same error as that of a full disk.
    log._connection.execute("PRAGMA max_page_count = 1")
    fill(log, housing, 1_000, "lost")
    flush(log)
    assert dropped(metrics, "failed") == 1_000
    fill(log, housing, 1, "after")
    log.close()
    assert request_ids(log.path) == ["r-0", "after-0"]


@pytest.mark.parametrize("place", ["file/predictions.db", "folder", "text"])
def test_a_path_that_cannot_be_written_is_counted(
    opened: Open, metrics: Metrics, housing: Model, tmp_path: Path, place: str
) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    (tmp_path / "text").write_text(NO_DATABASE)
    log = opened(prediction_log=tmp_path / place)
    fill(log, housing, 7)
    log.close()
    assert dropped(metrics, "failed") == 7


@posix
def test_failures_leave_no_connection_open(
    opened: Open, housing: Model, tmp_path: Path
) -> None:
    path = tmp_path / "text"
    path.write_text(NO_DATABASE)
    log = opened(prediction_log=path)
    for _ in range(20):
        fill(log, housing, 1)
        flush(log)
    open_files = []
    for link in Path("/proc/self/fd").iterdir():
        if link.exists():
            open_files.append(os.readlink(link))
    assert str(path) not in open_files


def test_the_newest_rows_are_kept(opened: Open, housing: Model) -> None:
    log = opened(prediction_log_rows=10)
    fill(log, housing, 25)
    log.close()
    newest = [f"r-{number}" for number in range(15, 25)]
    assert request_ids(log.path) == newest


def test_rows_that_are_too_old_are_deleted(opened: Open, housing: Model) -> None:
    log = opened(prediction_log_days=2)
    fill(log, housing, 2)
    flush(log)
    statement = "UPDATE predictions SET time = time - 3 * 86400 WHERE id = 1"
    with closing(sqlite3.connect(log.path)) as connection, connection:
        connection.execute(statement)
    log._tidied = 0
    fill(log, housing, 1, "new")
    log.close()
    assert request_ids(log.path) == ["r-1", "new-0"]


def test_without_a_database_there_are_no_rows(opened: Open) -> None:
    assert opened().latest(10, None) == []


def test_a_broken_database_is_one_sentence(opened: Open, tmp_path: Path) -> None:
    path = tmp_path / "text"
    path.write_text(NO_DATABASE)
    log = opened(prediction_log=path)
    with pytest.raises(ApiError, match="file is not a database") as raised:
        log.latest(10, None)
    assert raised.value.status == 503
