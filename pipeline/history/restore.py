"""From run folders to the database that MLflow reads: everything new in, everything gone out.

The database is MLflow's SQLite store. Runs that a notebook logged into it stay; the runs, the
logged models and the registered models of the history are made to agree with the files.
"""

import gc
import os
import sqlite3
import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
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
            _remove(temporary)
            if database.is_file() and database.stat().st_size:
                _require_schema(database, temporary)
                return _update(mlruns, database)
            return _build(mlruns, database, temporary)
    except Timeout:
        raise PipelineError(
            f"{database}: another restore holds it; wait for it or stop it."
        ) from None
    except sqlite3.IntegrityError as error:
        raise PipelineError(
            f"the history contradicts itself ({error}): `pipeline history verify` names the file."
        ) from error
    except sqlite3.Error as error:
        raise PipelineError(f"{database}: {error}; the database is as it was before.") from error


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
    gc.disable()  # a million rows that live shortly, and no cycles: a sixth of the time
    try:
        schema.create(temporary)
        with closing(sqlite3.connect(temporary, isolation_level=None)) as connection:
            connection.execute("PRAGMA synchronous = OFF")
            connection.execute("PRAGMA journal_mode = OFF")
            connection.execute("PRAGMA cache_size = -200000")
            connection.execute("BEGIN")
            with tables.without_indexes(connection):
                change = _synchronise(connection, mlruns)
            _analyse(connection)
            connection.execute("COMMIT")
            connection.execute("PRAGMA journal_mode = WAL")
        _replace(database, temporary)
    finally:
        gc.enable()
        _remove(temporary)
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
    """Make sure that a database has the schema of the installed MLflow; upgrade an older one."""
    with closing(sqlite3.connect(database, timeout=60)) as connection:
        found = schema.head(connection)
        known = schema.installed_heads()
        if found == known[0]:
            return
        if found not in known:
            raise PipelineError(
                f"{database} {'is of a newer MLflow' if found else 'is not a database of MLflow'}: "
                "install that version, or move the file away to have it made anew "
                "(what was logged into it and not saved would stay behind in it)."
            )
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        with closing(sqlite3.connect(temporary)) as copy:
            connection.backup(copy)
    schema.upgrade(temporary)
    _replace(database, temporary)


def _synchronise(connection: sqlite3.Connection, mlruns: Path) -> Change:
    """Make the history's part of a database agree with the files."""
    days = layout.run_days(mlruns)
    addresses = {run_id: layout.artifact_uri(day, run_id) for run_id, day in days.items()}
    known = tables.known_runs(connection)
    gone = {id for id, uri in known.items() if id not in days and layout.is_history_uri(uri)}
    fresh = {id for id, uri in addresses.items() if known.get(id) != f"{uri}/artifacts"}
    on_disk = _models_on_disk(days)
    in_database = tables.known_models(connection)
    for run_id in days.keys() - fresh:  # have files of its models come or gone?
        if on_disk.get(run_id, set()) != (shown := in_database.get(run_id, set())):
            run = runfile.load(days[run_id] / run_id / layout.RUN_FILE)
            if _shown_models(run, on_disk) != shown:
                fresh.add(run_id)

    tables.delete_runs(connection, gone | (fresh & known.keys()))
    writer = tables.Writer(connection)
    files = (days[id] / id / layout.RUN_FILE for id in days if id in fresh)
    while batch := list(map(runfile.load, islice(files, BATCH))):
        new: rows.Rows = defaultdict(list)
        for run in batch:
            place = (addresses[run.run_id], writer.experiment_id(run.experiment, run.started))
            rows.add_run(new, run, *place, writer.dataset_ids, _shown_models(run, on_disk))
        writer.write(new)
    if fresh or gone:
        tables.delete_dangling(connection)

    models = registry.models(mlruns)
    tables.delete_registered_models(connection, models)
    new = defaultdict(list)
    for model in models:
        rows.add_registered_model(new, registry.versions(mlruns, model), addresses)
    writer.write(new)
    return Change(len(fresh), len(gone), len(days))


def _models_on_disk(days: dict[str, Path]) -> dict[str, set[str]]:
    """Return the ids of the models whose files are there, by run id."""
    paths = {run_id: f"{day}/{run_id}/{layout.MODELS}" for run_id, day in days.items()}
    return {id: set(layout.folders(path)) for id, path in paths.items() if os.access(path, os.F_OK)}


def _shown_models(run: runfile.Run, on_disk: dict[str, set[str]]) -> set[str]:
    """Return the models that can be opened: their files are there, or they never had any.

    The files of a model that was never promoted may be let go.
    """
    present = on_disk.get(run.run_id, set())
    return {m.model_id for m in run.models if m.model_id in present or not m.artifacts}


def _replace(database: Path, temporary: Path) -> None:
    for suffix in ("-wal", "-shm"):  # what they hold would be taken for changes of the new file
        database.with_name(database.name + suffix).unlink(missing_ok=True)
    temporary.replace(database)


def _remove(path: Path) -> None:
    for suffix in ("", "-journal", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
