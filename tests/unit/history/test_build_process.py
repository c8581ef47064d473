"""Builds that are killed, run at once or are watched, and databases of other versions."""

import os
import sqlite3
import subprocess
import sys
import threading
import time
from importlib.metadata import version
from pathlib import Path

import pytest

from core.errors import PipelineError
from history import database, layout
from history.build import Change
from history.metrics import Exporter
from history.runfile import Run
from history.watch import watch
from tests.conftest import posix
from tests.paths import ROOT
from tests.support.built_database import bring_up, client, path_of, runs_in
from tests.support.history_factories import Workspace, add_run, query
from tests.support.waiting import PATIENCE_SECONDS, wait_until

CREATE_OLDER = """
import sys
import sqlalchemy
from alembic import command
from mlflow.store.db import utils
from mlflow.store.tracking.dbmodels.initial_models import Base
engine = sqlalchemy.create_engine(sys.argv[1])
Base.metadata.create_all(engine)
with engine.begin() as connection:
    config = utils._get_alembic_config(sys.argv[1])
    config.attributes["connection"] = connection
    command.upgrade(config, sys.argv[2])
    connection.execute(sqlalchemy.text(
        "INSERT INTO experiments (experiment_id, name, lifecycle_stage) "
        "VALUES (7, 'mine', 'active')"
    ))
"""
BUILD_NEW = """
import sys
from pathlib import Path
from history import build_database

build_database(Path("mlruns"), Path("new.db"))
print("mlflow" in sys.modules)
"""
LAST_SUCCESS = "history_build_last_success_timestamp_seconds"
COUNT = "SELECT (SELECT count(*) FROM runs), (SELECT count(*) FROM params)"
FAILURES = "history_build_failures_total"


@pytest.mark.slow
def test_a_database_of_a_newer_mlflow_is_left_alone(repo: Workspace) -> None:
    bring_up(repo)
    with sqlite3.connect(path_of(repo)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = 'ffffffffffff'")
    connection.close()
    with pytest.raises(
        PipelineError, match="MLflow could not migrate the database to its version"
    ):
        bring_up(repo)


@pytest.mark.slow
@pytest.mark.nightly
def test_a_database_of_an_older_mlflow_is_upgraded(repo: Workspace) -> None:
    repo.build.mkdir()
    older = "75868b020152"
    uri = f"sqlite:///{path_of(repo)}"
    subprocess.run(
        [sys.executable, "-c", CREATE_OLDER, uri, older],
        check=True,
        capture_output=True,
    )
    add_run(repo.mlruns)
    bring_up(repo)
    names = {experiment.name for experiment in client(repo).search_experiments()}
    assert names == {"Default", "mine", "housing"}


@posix
def test_a_full_disk_is_one_sentence(repo: Workspace) -> None:
    for _ in range(50):
        add_run(repo.mlruns, params={"p": "x" * 6000})
    process = run_limited(repo, 400_000)
    assert process.returncode == 1
    error = " ".join(process.stderr.split())
    assert "Traceback" not in error
    assert "the database is as it was before" in error
    assert not path_of(repo).exists()
    assert bring_up(repo) == Change(50, 0, 50)


def run_limited(repo: Workspace, size: int) -> subprocess.CompletedProcess[str]:
    """Build in a process that cannot write files larger than `size` bytes."""
    script = f"""
import resource
import signal
from history.__main__ import main

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, ({size}, {size}))
main()
"""
    return subprocess.run(
        [sys.executable, "-c", script, *arguments(repo)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def arguments(repo: Workspace) -> list[str]:
    """Return the arguments of a build."""
    return [
        "--folder",
        str(repo.mlruns),
        "build",
        "--db",
        str(path_of(repo)),
    ]


def start(repo: Workspace) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "history", *arguments(repo)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_two_builds_at_once_agree(repo: Workspace) -> None:
    for _ in range(300):
        add_run(repo.mlruns)
    for process in [start(repo), start(repo), start(repo)]:
        _, errors = process.communicate(timeout=PATIENCE_SECONDS)
        assert process.returncode == 0, errors
    assert runs_in(repo) == set(layout.run_folders(repo.mlruns))


@pytest.mark.slow
def test_a_reader_sees_all_of_a_change_or_nothing(repo: Workspace) -> None:
    bring_up(repo)
    counts: set[int] = set()
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            ((runs, params),) = query(path_of(repo), COUNT)
            assert runs == params
            counts.add(runs)

    for _ in range(2000):
        add_run(repo.mlruns)
    reader = threading.Thread(target=read)
    reader.start()
    bring_up(repo)
    done.set()
    reader.join()
    assert counts <= {0, 2000}


def test_a_build_removes_the_files_of_a_killed_one(repo: Workspace) -> None:
    add_run(repo.mlruns)
    repo.build.mkdir()
    (repo.build / ".part-mlflow.db").write_bytes(b"half")
    (repo.build / "mlflow.db-wal").write_bytes(b"half")
    (repo.build / "mlflow.db").write_bytes(b"")
    assert bring_up(repo) == Change(1, 0, 1)
    assert not list(repo.build.glob(".part-*"))


def damage(repo: Workspace, first: Run) -> tuple[Run, Path]:
    """Add a run without its `run.json`; return it and the path of the missing file."""
    # Move no file that the watcher may be reading.
    elsewhere = repo.root / "elsewhere"
    run = add_run(elsewhere)
    (folder,) = layout.run_folders(elsewhere).values()
    (folder / "run.json").rename(repo.root / "aside")
    target = layout.run_folders(repo.mlruns)[first.run_id].with_name(run.run_id)
    folder.rename(target)
    return run, target / "run.json"


def test_the_watcher_follows_the_files_and_survives_damage(
    repo: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    first = add_run(repo.mlruns)
    lines: list[str] = []

    def printed(text: str) -> int:
        """Return how many lines with this text were printed so far."""
        lines.extend(capsys.readouterr().out.splitlines())
        return sum(text in line for line in lines)

    exporter = Exporter()
    watched = (repo.mlruns, path_of(repo), 0.05, exporter)
    threading.Thread(target=watch, args=watched, daemon=True).start()
    wait_until(lambda: printed("1 run (1 added, 0 removed)"))
    second, missing = damage(repo, first)
    wait_until(lambda: printed("cannot be read"))
    time.sleep(0.3)
    last_success = sample(exporter, LAST_SUCCESS)
    assert sample(exporter, FAILURES) >= 2
    time.sleep(0.2)
    assert sample(exporter, LAST_SUCCESS) == last_success  # while it does not agree
    (repo.root / "aside").rename(missing)
    wait_until(lambda: runs_in(repo) == {first.run_id, second.run_id})
    wait_until(lambda: sample(exporter, LAST_SUCCESS) > last_success + 0.2)
    assert printed("cannot be read") == 1


def sample(exporter: Exporter, name: str) -> float:
    value = exporter.registry.get_sample_value(name)
    assert value is not None
    return value


def test_the_schema_is_of_the_installed_mlflow_without_importing_it(
    tmp_path: Path,
) -> None:
    process = subprocess.run(
        [sys.executable, "-c", BUILD_NEW],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert process.stdout.strip() == "False", process.stderr
    schema = database.SCHEMA.read_text(encoding="utf-8")
    remedy = "write schema.sql again: python -m tools.write_schema"
    assert schema.startswith(f"-- Made by MLflow {version('mlflow')}:"), remedy


@pytest.mark.slow
def test_the_schema_is_the_one_that_mlflow_creates() -> None:
    command = [sys.executable, "tools/write_schema.py", "--check"]
    assert subprocess.run(command, cwd=ROOT, check=False).returncode == 0
