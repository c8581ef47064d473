"""From run folders to the database that MLflow reads: everything new in, everything gone out.

The database is MLflow's SQLite store. Runs that a notebook logged into it stay; the runs, the
logged models and the registered models of the history are made to agree with the files.
"""

import gc
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from pipeline.errors import PipelineError
from pipeline.files import TEMPORARY_PREFIX
from pipeline.history import layout, registry, rows, runfile, schema, tables

# Runs whose rows are held in memory at once.
BATCH = 2000
PATIENCE_SECONDS = 600


@dataclass(frozen=True)
class Change:
    """What a restore did: runs taken in (or taken in anew), taken out, and now in the history."""

    added: int
    removed: int
    runs: int

    def __str__(self) -> str:
        return f"{self.runs} runs ({self.added} taken in, {self.removed} taken out)"


def restore(mlruns: Path, database: Path) -> Change:
    """Bring a database up to the history; make it if it is not there.

    A reader sees the state before or the state after. A killed call leaves the state before and at
    most a temporary file that the next call removes.

    Raises:
        PipelineError: a file of the history is damaged, or the database is not MLflow's, of a newer
            MLflow, busy, or cannot be written. Nothing has changed then.
    """
    database.parent.mkdir(parents=True, exist_ok=True)
    temporary = database.with_name(TEMPORARY_PREFIX + database.name)
    try:
        with FileLock(database.with_name(database.name + ".lock"), timeout=PATIENCE_SECONDS):
            _remove(temporary, "", "-journal", "-wal", "-shm")
            try:
                if database.is_file() and database.stat().st_size:
                    _require_schema(database, temporary)
                    return _update(mlruns, database)
                return _build(mlruns, database, temporary)
            finally:
                _remove(temporary, "")
    except Timeout:
        raise PipelineError(
            f"{database}: another restore holds it; wait for it or stop it."
        ) from None
    except sqlite3.IntegrityError as error:
        raise PipelineError(
            f"the history contradicts itself ({error}): `pipeline history verify` names the file."
        ) from error
    except sqlite3.Error as error:
        raise PipelineError(
            f"{database}: {error}; the database is as it was before. If it is not one of MLflow's, "
            "move it away."
        ) from error


def watch(mlruns: Path, database: Path, seconds: float, report: Callable[[object], None]) -> None:
    """Restore whenever folders of the history change, until interrupted; polls every `seconds`.

    A history that is damaged or half-way through a `git pull` is reported once and tried again.
    """
    seen: object = None
    trouble = ""
    while True:
        state = _state(mlruns)
        if state != seen:
            try:
                change = restore(mlruns, database)
                seen, trouble = state, ""
                if change.added or change.removed:
                    report(change)
            except (PipelineError, OSError) as error:
                if str(error) != trouble:
                    report(error)
                trouble = str(error)
        time.sleep(seconds)


def _state(mlruns: Path) -> list[tuple[Path, int]]:
    """Return what changes when a run folder or a promotion comes or goes; a stat a day."""
    below = mlruns / layout.REGISTRY
    watched = [*layout.day_folders(mlruns), *(below / name for name in layout.folders(below))]
    return [(path, path.stat().st_mtime_ns) for path in watched if path.exists()]


def _build(mlruns: Path, database: Path, temporary: Path) -> Change:
    make_tables, make_indexes = schema.statements()
    gc.disable()  # a million rows that live shortly, and no cycles: a sixth of the time
    try:
        with closing(sqlite3.connect(temporary, isolation_level=None)) as connection:
            connection.executescript(
                "PRAGMA synchronous = OFF; PRAGMA journal_mode = OFF; PRAGMA cache_size = -200000;"
            )
            connection.executescript(make_tables)
            connection.execute("BEGIN")
            change = _synchronise(connection, mlruns)
            connection.execute("COMMIT")
            connection.executescript(make_indexes)
            _analyse(connection)
            connection.execute("PRAGMA journal_mode = WAL")
    finally:
        gc.enable()
    _replace(database, temporary)
    return change


def _update(mlruns: Path, database: Path) -> Change:
    with closing(sqlite3.connect(database, timeout=60, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("BEGIN IMMEDIATE")
        change = _synchronise(connection, mlruns)
        if 10 * (change.added + change.removed) > change.runs:
            _analyse(connection)
        connection.execute("COMMIT")
    return change


def _analyse(connection: sqlite3.Connection) -> None:
    """Gather the statistics without which a page of runs sorted by a metric takes a minute."""
    connection.execute("PRAGMA analysis_limit = 1000")
    connection.execute("ANALYZE")


def _require_schema(database: Path, temporary: Path) -> None:
    """Upgrade the database of an older MLflow: a notebook's runs in it are nowhere else."""
    with closing(sqlite3.connect(database, timeout=60)) as connection:
        if schema.is_current(connection):
            return
        connection.execute("VACUUM INTO ?", (str(temporary),))
    schema.upgrade(temporary)
    _replace(database, temporary)


def _synchronise(connection: sqlite3.Connection, mlruns: Path) -> Change:
    """Make the history's part of a database agree with the files."""
    days = layout.run_days(mlruns)
    addresses = {run_id: layout.artifact_uri(day, run_id) for run_id, day in days.items()}
    known = dict(connection.execute("SELECT run_uuid, artifact_uri FROM runs"))
    gone = {id for id, uri in known.items() if id not in days and layout.is_history_uri(uri)}
    fresh = [id for id, uri in addresses.items() if known.get(id) != f"{uri}/{layout.ARTIFACTS}"]
    tables.delete_runs(connection, gone.union(known.keys() & fresh))

    experiments = tables.Experiments(connection)
    dataset_ids = tables.dataset_ids(connection)

    def rows_of(run_ids: list[str]) -> Iterator[rows.Row]:
        runs = [runfile.load(days[run_id] / run_id / layout.RUN_FILE) for run_id in run_ids]
        ids = {run.experiment: experiments.id(run.experiment, run.started) for run in runs}
        for run in sorted(runs, key=lambda run: run.run_id):  # the order of SQLite's indexes
            yield from rows.of_run(run, addresses[run.run_id], ids[run.experiment], dataset_ids)

    for start in range(0, len(fresh), BATCH):
        tables.insert(connection, rows_of(fresh[start : start + BATCH]))

    models = registry.models(mlruns)
    tables.delete_registered_models(connection, models)
    for model in models:
        promotions = registry.versions(mlruns, model)
        tables.insert(connection, rows.of_registered_model(promotions, addresses))
    return Change(len(fresh), len(gone), len(days))


def _replace(database: Path, temporary: Path) -> None:
    _remove(database, "-wal", "-shm")  # would be taken for changes of the new file
    temporary.replace(database)


def _remove(path: Path, *suffixes: str) -> None:
    for suffix in suffixes:
        path.with_name(path.name + suffix).unlink(missing_ok=True)
