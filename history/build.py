"""From run folders to the database that MLflow reads: everything new in, everything
gone out.

The database is MLflow's SQLite store. Runs that a notebook logged into it stay; the
runs, the logged models and the registered models of the history are made to agree with
the files.
"""

import gc
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock

from core.errors import PipelineError
from core.files import TEMPORARY_PREFIX
from history import database, layout, mlflow_rows, registry, runfile

if TYPE_CHECKING:
    from history.metrics import Exporter

# Runs whose rows are held in memory at once.
BATCH = 2000


@dataclass(frozen=True)
class Change:
    """What a restore did: runs taken in (or taken in anew), taken out, and now in the
    history.
    """

    added: int
    removed: int
    runs: int

    def __str__(self) -> str:
        return f"{self.runs} runs ({self.added} taken in, {self.removed} taken out)"


def restore(mlruns: Path, path: Path) -> Change:
    """Bring the database at `path` up to the history; make it if it is not there.

    A reader sees the state before or the state after. A killed call leaves the state
    before and at most a temporary file that the next call removes. Two calls at once
    wait for each other.

    Raises:
        PipelineError: a file of the history is damaged, or the database is not
            MLflow's, of a newer MLflow, or cannot be written. Nothing has changed then.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(TEMPORARY_PREFIX + path.name)
    gc.disable()  # a million rows that live shortly, and no cycles: a sixth of the time
    try:
        with FileLock(path.with_name(f"{path.name}.lock")):
            temporary.unlink(missing_ok=True)
            try:
                if path.is_file() and path.stat().st_size:
                    database.upgrade(path, temporary)
                    return _update(mlruns, path)
                return _build(mlruns, path, temporary)
            finally:
                temporary.unlink(missing_ok=True)
    except sqlite3.IntegrityError as error:
        raise PipelineError(
            f"the history contradicts itself ({error}): `pipeline history verify` names"
            " the file."
        ) from error
    except sqlite3.Error as error:
        raise PipelineError(
            f"{path}: {error}; the database is as it was before. If it is not one of"
            " MLflow's, move it away."
        ) from error
    finally:
        gc.enable()


def watch(mlruns: Path, path: Path, seconds: float, exporter: "Exporter") -> None:
    """Restore whenever folders of the history change, until interrupted; polls every
    `seconds`.

    A change is printed. A history that is damaged or half-way through a `git pull` is
    named once and tried again.
    """
    seen: object = None
    trouble = ""
    while True:
        state = _state(mlruns)
        if state != seen:
            try:
                change = restore(mlruns, path)
                exporter.update(path)
                seen, trouble = state, ""
                if change.added or change.removed:
                    print(change, flush=True)
            except (PipelineError, OSError, sqlite3.Error) as error:
                exporter.failures.inc()
                if str(error) != trouble:
                    print(error, flush=True)
                trouble = str(error)
        if state == seen:
            exporter.looked.set_to_current_time()
        time.sleep(seconds)


def _state(mlruns: Path) -> list[tuple[Path, int]]:
    """Return what changes when a run folder or a promotion comes or goes; a stat a day."""
    below = mlruns / layout.REGISTRY
    watched = [
        *layout.day_folders(mlruns),
        *(below / name for name in layout.folders(below)),
    ]
    return [(path, path.stat().st_mtime_ns) for path in watched if path.exists()]


def _build(mlruns: Path, path: Path, temporary: Path) -> Change:
    with closing(database.connect(temporary)) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("PRAGMA journal_mode = OFF")
        connection.execute("PRAGMA cache_size = -200000")
        connection.execute("BEGIN")
        indexes = database.create_tables(connection)
        change = _synchronise(connection, mlruns)
        for statement in indexes:
            connection.execute(statement)
        database.analyse(connection)
        connection.execute("COMMIT")
        connection.execute("PRAGMA journal_mode = WAL")
    for suffix in (
        "-wal",
        "-shm",
    ):  # an earlier file's: they would be taken for changes of this
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    temporary.replace(path)
    return change


def _update(mlruns: Path, path: Path) -> Change:
    with closing(database.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("BEGIN IMMEDIATE")
        change = _synchronise(connection, mlruns)
        if 10 * (change.added + change.removed) > change.runs:
            database.analyse(connection)
        connection.execute("COMMIT")
    return change


def _synchronise(connection: sqlite3.Connection, mlruns: Path) -> Change:
    """Make the history's part of a database agree with the files."""
    days = layout.run_days(mlruns)
    addresses = {
        run_id: layout.artifact_uri(day, run_id) for run_id, day in days.items()
    }
    known = dict(connection.execute("SELECT run_uuid, artifact_uri FROM runs"))
    gone = {
        id for id, uri in known.items() if id not in days and layout.is_history_uri(uri)
    }
    fresh = [
        id
        for id, uri in addresses.items()
        if known.get(id) != f"{uri}/{layout.ARTIFACTS}"
    ]
    if leaving := gone.union(known.keys() & fresh):
        database.take_out(connection, "runs", leaving)

    experiments = database.experiment_ids(connection)
    if database.DEFAULT not in experiments:
        database.add_experiment(
            connection, experiments, database.DEFAULT, int(time.time() * 1000)
        )

    def rows_of(runs: list[runfile.Run]) -> Iterator[mlflow_rows.Row]:
        for run in runs:
            if run.experiment not in experiments:
                database.add_experiment(
                    connection, experiments, run.experiment, run.started
                )
        for run in sorted(
            runs, key=lambda run: run.run_id
        ):  # the order of SQLite's indexes
            yield from mlflow_rows.of_run(
                run, addresses[run.run_id], experiments[run.experiment]
            )

    files = (days[run_id] / run_id / layout.RUN_FILE for run_id in fresh)
    while batch := list(map(runfile.load, islice(files, BATCH))):
        database.insert(connection, rows_of(batch))

    models = registry.models(mlruns)
    database.take_out(connection, "registry", models)
    promotions = [
        entry for model in models for entry in registry.versions(mlruns, model)
    ]
    # A promotion whose run is not there is left out; `pipeline history verify` names
    # it.
    shown = [entry for entry in promotions if entry.run_id in addresses]
    database.insert(
        connection,
        (
            row
            for e in shown
            for row in mlflow_rows.of_promotion(e, addresses[e.run_id])
        ),
    )
    for statement in database.statements("stages"):
        connection.execute(statement)
    return Change(len(fresh), len(gone), len(days))
