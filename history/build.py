"""Builds MLflow's database from the run files, or brings it up to date with them.

It is a file of SQLite, or a database in PostgreSQL.

Runs that a notebook logged into the database stay. The runs, the logged models and the
registered models of the history are brought into agreement with the files.
"""

import gc
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from filelock import FileLock

from core.counts import counted
from core.errors import PipelineError
from core.files import TEMPORARY_PREFIX
from history import database, layout, mlflow_rows, postgres, registry, runfile
from history.database import Connection
from history.runfile import Run

BATCH = 2000  # runs whose rows are held in memory at once


@dataclass(frozen=True)
class Change:
    """The result of a build: runs added or replaced, runs removed, runs in total."""

    added: int
    removed: int
    runs: int

    def __str__(self) -> str:
        runs = counted(self.runs, "run")
        return f"{runs} ({self.added} added, {self.removed} removed)"


def build_database(mlruns: Path, target: Path | str) -> Change:
    """Bring a database up to date with a history; create it if needed.

    A reader sees the state before or the state after. A call that is killed leaves the
    state before, and at most a temporary file that the next call removes. Of two calls
    at once, one waits for the other.

    Args:
        mlruns: the folder of the history; one that does not exist is empty.
        target: the SQLite file that `mlflow server --backend-store-uri sqlite:///…`
            opens, or the address of a database in PostgreSQL,
            `postgresql+psycopg://…`. In an empty one MLflow creates its tables.

    Raises:
        UsageError: the address is not one of PostgreSQL.
        PipelineError: a file of the history is damaged, or the database does not
            answer, is not one of MLflow, or of another MLflow, or cannot be written.
            Nothing has changed.
    """
    gc.disable()  # a million short-lived rows without cycles: saves a sixth of the time
    try:
        if isinstance(target, str):
            return _build_in_postgres(mlruns, target)
        return _build_file(mlruns, target)
    finally:
        gc.enable()


def _build_in_postgres(mlruns: Path, address: str) -> Change:
    with postgres.writing(address) as connection:
        change = _synchronize(connection, mlruns)
        connection.move_sequence()
        if _needs_statistics(change):
            connection.analyze()
    return change


def _build_file(mlruns: Path, path: Path) -> Change:
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(path.with_name(f"{path.name}.lock")):
            return _build_or_update(mlruns, path)
    except sqlite3.IntegrityError as error:
        raise PipelineError(
            f"the history contradicts itself ({error}): `history verify`"
            " names the file."
        ) from error
    except sqlite3.Error as error:
        raise PipelineError(
            f"{path}: {error}; the database is as it was before. If MLflow did not"
            " create it, move it away."
        ) from error


def _build_or_update(mlruns: Path, path: Path) -> Change:
    temporary = path.with_name(TEMPORARY_PREFIX + path.name)
    temporary.unlink(missing_ok=True)
    try:
        if path.is_file() and path.stat().st_size:
            database.upgrade(path, temporary)
            return _update(mlruns, path)
        return _build(mlruns, path, temporary)
    finally:
        temporary.unlink(missing_ok=True)


def _build(
    mlruns: Path,
    path: Path,
    temporary: Path,
) -> Change:
    with closing(database.connect(temporary)) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("PRAGMA journal_mode = OFF")
        connection.execute("PRAGMA cache_size = -200000")
        connection.execute("BEGIN")
        indexes = database.create_tables(connection)
        change = _synchronize(connection, mlruns)
        for statement in indexes:
            connection.execute(statement)
        database.analyze(connection)
        connection.execute("COMMIT")
        connection.execute("PRAGMA journal_mode = WAL")
    # Those of an earlier file would be taken for changes of this one.
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    temporary.replace(path)
    return change


def _update(mlruns: Path, path: Path) -> Change:
    with closing(database.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("BEGIN IMMEDIATE")
        change = _synchronize(connection, mlruns)
        if _needs_statistics(change):
            database.analyze(connection)
        connection.execute("COMMIT")
    return change


def _needs_statistics(change: Change) -> bool:
    """Return whether enough has changed for new statistics to pay."""
    return 10 * (change.added + change.removed) > change.runs


def _synchronize(connection: Connection, mlruns: Path) -> Change:
    """Make the history's part of a database agree with the files."""
    days = layout.all_run_days(mlruns)
    addresses = {}
    for run_id, day in days.items():
        addresses[run_id] = layout.artifact_uri(day, run_id)
    stored = dict(connection.execute("SELECT run_uuid, artifact_uri FROM runs"))
    removed = {
        run_id
        for run_id, uri in stored.items()
        if run_id not in days and layout.is_history_uri(uri)
    }
    added = [
        run_id
        for run_id, address in addresses.items()
        if stored.get(run_id) != f"{address}/{layout.ARTIFACTS}"
    ]
    replaced = stored.keys() & added
    if removed or replaced:
        database.delete_rows(connection, "runs", removed | replaced)
    files = []
    for run_id in added:
        files.append(days[run_id] / run_id / layout.RUN_FILE)
    _insert_runs(connection, iter(files), addresses)
    _insert_promotions(connection, mlruns, addresses)
    return Change(len(added), len(removed), len(days))


def _insert_runs(
    connection: Connection,
    files: Iterator[Path],
    addresses: Mapping[str, str],
) -> None:
    """Read the runs in these files, and insert them batch by batch."""
    experiments = database.experiment_ids(connection)
    if database.DEFAULT not in experiments:
        now = int(time.time() * 1000)
        database.add_experiment(connection, experiments, database.DEFAULT, now)
    while batch := list(map(runfile.load, islice(files, BATCH))):
        for run in batch:
            if run.experiment not in experiments:
                database.add_experiment(
                    connection, experiments, run.experiment, run.started
                )
        batch.sort(key=_run_id)  # the order of SQLite's indexes
        database.insert(connection, _run_rows(batch, addresses, experiments))


def _run_id(run: Run) -> str:
    return run.run_id


def _run_rows(
    runs: Iterable[Run],
    addresses: Mapping[str, str],
    experiments: Mapping[str, int],
) -> Iterator[mlflow_rows.Row]:
    for run in runs:
        address = addresses[run.run_id]
        yield from mlflow_rows.of_run(run, address, experiments[run.experiment])


def _insert_promotions(
    connection: Connection,
    mlruns: Path,
    addresses: Mapping[str, str],
) -> None:
    """Write the registered models anew; they are few.

    A promotion whose run is not there is left out: verification names it.
    """
    models = registry.models(mlruns)
    database.delete_rows(connection, "registry", models)
    rows: list[mlflow_rows.Row] = []
    for model in models:
        for promotion in registry.versions(mlruns, model):
            address = addresses.get(promotion.run_id)
            if address is not None:
                rows += mlflow_rows.of_promotion(promotion, address)
    database.insert(connection, rows)
    for statement in database.statements("stages"):
        connection.execute(statement)
