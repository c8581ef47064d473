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
from history.watch import watch
from tests.conftest import posix
from tests.paths import ROOT
from tests.support.built_database import bring_up, client, path_of, runs_in
from tests.support.history_factories import Workspace, add_run, query
from tests.support.waiting import PATIENCE_SECONDS, wait_until

LOOKED = "history_build_last_success_timestamp_seconds"
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
def test_a_database_of_an_older_mlflow_is_upgraded(repo: Workspace) -> None:
    repo.build.mkdir()
    script = """
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
    older = "75868b020152"
    uri = f"sqlite:///{path_of(repo)}"
    subprocess.run(
        [sys.executable, "-c", script, uri, older], check=True, capture_output=True
    )
    add_run(repo.mlruns)
    bring_up(repo)
    names = {experiment.name for experiment in client(repo).search_experiments()}
    assert names == {"Default", "mine", "housing"}


@posix
def test_a_full_disk_is_one_sentence(repo: Workspace) -> None:
    for _ in range(50):
        add_run(repo.mlruns, params={"p": "x" * 6000})
    done = run_limited(repo, 400_000)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "the database is as it was before" in " ".join(done.stderr.split())
    assert not path_of(repo).exists()
    assert bring_up(repo) == Change(50, 0, 50)


def run_limited(repo: Workspace, size: int) -> subprocess.CompletedProcess[str]:
    """Build in a process that cannot write files larger than `size` bytes."""
    script = (
        "import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); "
        f"resource.setrlimit(resource.RLIMIT_FSIZE, ({size}, {size})); "
        "from history.__main__ import main; main()"
    )
    command = [
        sys.executable,
        "-c",
        script,
        "--folder",
        str(repo.mlruns),
        "build",
        "--db",
        str(path_of(repo)),
    ]
    return subprocess.run(
        command,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def start(repo: Workspace, *options: str) -> subprocess.Popen[str]:
    command = [
        sys.executable,
        "-m",
        "history",
        "--folder",
        str(repo.mlruns),
        "build",
        "--db",
        str(path_of(repo)),
    ]
    return subprocess.Popen(
        [*command, *options],
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
            statement = (
                "SELECT (SELECT count(*) FROM runs), (SELECT count(*) FROM params)"
            )
            ((runs, params),) = query(path_of(repo), statement)
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


def test_what_a_killed_build_left_does_not_matter(repo: Workspace) -> None:
    add_run(repo.mlruns)
    repo.build.mkdir()
    for name in (".part-mlflow.db", "mlflow.db-wal", "mlflow.db"):
        (repo.build / name).write_bytes(b"half" if name != "mlflow.db" else b"")
    assert bring_up(repo) == Change(1, 0, 1)
    assert not list(repo.build.glob(".part-*"))


def test_the_watcher_follows_the_files_and_survives_damage(
    repo: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    first = add_run(repo.mlruns)
    said: list[str] = []

    def heard() -> list[str]:
        said.extend(capsys.readouterr().out.splitlines())
        return said

    exporter = Exporter()
    arguments = (repo.mlruns, path_of(repo), 0.05, exporter)
    threading.Thread(target=watch, args=arguments, daemon=True).start()
    wait_until(lambda: "1 runs (1 added, 0 removed)" in heard())
    bad = add_run(
        repo.root / "elsewhere"
    )  # no file is moved that the watcher may be reading
    (folder,) = layout.run_folders(repo.root / "elsewhere").values()
    (folder / "run.json").rename(repo.root / "aside")
    path = (
        layout.run_folders(repo.mlruns)[first.run_id].with_name(bad.run_id) / "run.json"
    )
    folder.rename(path.parent)
    wait_until(lambda: any("cannot be read" in told for told in heard()))
    time.sleep(0.3)
    looked, failures = (sample(exporter, name) for name in (LOOKED, FAILURES))
    assert failures >= 2
    time.sleep(0.2)
    assert sample(exporter, LOOKED) == looked  # as long as it does not agree
    (repo.root / "aside").rename(path)
    wait_until(lambda: runs_in(repo) == {first.run_id, bad.run_id})
    wait_until(lambda: sample(exporter, LOOKED) > looked + 0.2)
    assert len([told for told in heard() if "cannot be read" in told]) == 1


def sample(exporter: Exporter, name: str) -> float:
    value = exporter.registry.get_sample_value(name)
    assert value is not None
    return value


def test_the_schema_is_of_the_installed_mlflow_without_importing_it(
    tmp_path: Path,
) -> None:
    script = (
        "import sys, pathlib; from history import build_database; "
        "build_database(pathlib.Path('mlruns'), pathlib.Path('new.db')); "
        "print('mlflow' in sys.modules)"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", script]
    done = subprocess.run(
        command,
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.stdout.strip() == "False"
    made_by = database.SCHEMA.read_text(encoding="utf-8").partition(":")[0]
    stale = "write schema.sql anew: python tools/write_schema.py"
    assert made_by == f"-- Made by MLflow {version('mlflow')}", stale


@pytest.mark.slow
def test_the_schema_is_what_mlflow_makes() -> None:
    command = [sys.executable, "tools/write_schema.py", "--check"]
    assert subprocess.run(command, cwd=ROOT, check=False).returncode == 0
