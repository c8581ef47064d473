"""The database follows the files, whole, and leaves alone what is not the history's."""

import os
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
from importlib.metadata import version
from pathlib import Path

import pytest
from mlflow import MlflowClient

from core.errors import PipelineError
from history import build, database, layout, registry
from history.build import Change
from history.metrics import Exporter
from history.watch import watch
from tests.conftest import posix
from tests.paths import ROOT
from tests.support.history_factories import (
    DAY_MS,
    STARTED,
    Workspace,
    add_run,
    import_into,
    model_id,
    new_workspace,
    promote,
    query,
)

LOOKED = "history_build_last_success_timestamp_seconds"
FAILURES = "history_build_failures_total"


@pytest.fixture
def repo(tmp_path: Path) -> Workspace:
    return new_workspace(tmp_path / "clone")


def bring_up(repo: Workspace) -> Change:
    return build.build_database(repo.mlruns, path_of(repo))


def path_of(repo: Workspace) -> Path:
    return repo.build / "mlflow.db"


def runs_in(repo: Workspace) -> set[str]:
    return {run_id for (run_id,) in query(path_of(repo), "SELECT run_uuid FROM runs")}


def dump(repo: Workspace) -> list[str]:
    connection = sqlite3.connect(path_of(repo))
    lines = [line for line in connection.iterdump() if "sqlite_stat" not in line]
    connection.close()
    return sorted(lines)


def client(repo: Workspace) -> MlflowClient:
    uri = f"sqlite:///{path_of(repo).as_posix()}"
    return MlflowClient(uri, registry_uri=uri)


def test_an_empty_history_gives_an_empty_store(repo: Workspace) -> None:
    assert bring_up(repo) == Change(0, 0, 0)
    assert [experiment.name for experiment in client(repo).search_experiments()] == [
        "Default"
    ]


def test_new_runs_come_in_and_gone_runs_go_out_with_all_their_rows(
    repo: Workspace,
) -> None:
    first = add_run(repo.mlruns, models={model_id(): {"model.onnx": b"x"}})
    assert bring_up(repo) == Change(1, 0, 1)
    before = dump(repo)
    second = add_run(
        repo.mlruns,
        models={model_id(): {"model.onnx": b"y"}},
        model_inputs=[first.models[0].model_id],
        datasets=[
            {
                "name": "d",
                "digest": "1",
                "source_type": "http",
                "source": "{}",
                "schema": None,
                "profile": None,
                "tags": {"k": "v"},
            }
        ],
    )
    assert bring_up(repo) == Change(1, 0, 2)
    assert runs_in(repo) == {first.run_id, second.run_id}
    shutil.rmtree(layout.run_folders(repo.mlruns)[second.run_id])
    assert bring_up(repo) == Change(0, 1, 1)
    assert dump(repo) == before
    assert bring_up(repo) == Change(0, 0, 1)


def test_the_order_in_which_runs_arrive_does_not_matter(
    repo: Workspace, tmp_path: Path
) -> None:
    for number in range(4):
        add_run(repo.mlruns, experiment=f"e{number % 2}", started=STARTED + number)
        bring_up(repo)
    at_once = tmp_path / "at-once.db"
    build.build_database(repo.mlruns, at_once)
    statement = "SELECT * FROM runs ORDER BY run_uuid"
    assert query(path_of(repo), statement) == query(at_once, statement)


def test_an_experiment_has_the_same_id_in_every_clone_unless_it_is_taken(
    repo: Workspace, tmp_path: Path
) -> None:
    add_run(repo.mlruns)
    bring_up(repo)
    ((usual,),) = query(
        path_of(repo), "SELECT experiment_id FROM experiments WHERE name='housing'"
    )
    other = tmp_path / "other.db"
    build.build_database(tmp_path / "no-history", other)
    with sqlite3.connect(other) as connection:
        row = (usual, "taken", "active")
        connection.execute(
            "INSERT INTO experiments (experiment_id, name, lifecycle_stage) VALUES (?,"
            " ?, ?)",
            row,
        )
    connection.close()
    build.build_database(repo.mlruns, other)
    found = dict(query(other, "SELECT name, experiment_id FROM experiments"))
    assert found["housing"] == usual + 1


def test_a_run_that_was_logged_into_the_database_stays_and_moves_once_it_is_saved(
    repo: Workspace,
) -> None:
    add_run(repo.mlruns)
    bring_up(repo)
    uri = f"sqlite:///{path_of(repo).as_posix()}"
    experiment = client(repo).get_experiment_by_name("housing")
    assert experiment.artifact_location == "mlflow-artifacts:/.local/housing"
    run = client(repo).create_run(experiment.experiment_id)
    own = f"mlflow-artifacts:/.local/housing/{run.info.run_id}/artifacts"
    assert run.info.artifact_uri == own
    artifact = (
        repo.mlruns / ".local" / "housing" / run.info.run_id / "artifacts" / "note.txt"
    )
    artifact.parent.mkdir(parents=True)
    artifact.write_text("noted")
    client(repo).set_terminated(run.info.run_id)
    assert bring_up(repo) == Change(0, 0, 1)
    assert client(repo).get_run(run.info.run_id).info.artifact_uri == own

    (folder,) = import_into(repo, uri)
    assert bring_up(repo) == Change(1, 0, 2)
    moved = client(repo).get_run(run.info.run_id).info.artifact_uri
    assert moved == layout.artifact_uri(folder.parent, folder.name, "artifacts")
    assert (folder / "artifacts" / "note.txt").read_text("utf-8") == "noted"
    assert import_into(repo, uri) == []


def test_a_model_whose_files_were_let_go_is_still_shown(repo: Workspace) -> None:
    kept, gone = model_id(), model_id()
    run = add_run(
        repo.mlruns,
        models={kept: {"model.onnx": b"x"}, gone: {"model.onnx": b"y"}, model_id(): {}},
    )
    shutil.rmtree(layout.run_folders(repo.mlruns)[run.run_id] / "models" / gone)
    bring_up(repo)
    assert len(client(repo).get_run(run.run_id).outputs.model_outputs) == 3
    assert client(repo).get_logged_model(gone).name == "model"


def test_the_registry_is_what_the_promotions_say(repo: Workspace) -> None:
    first = add_run(repo.mlruns, models={model_id(): {"model.onnx": b"x"}})
    second = add_run(repo.mlruns, models={model_id(): {"model.onnx": b"y"}})
    promote(repo, first)
    promote(repo, second)
    bring_up(repo)
    champion = client(repo).get_model_version_by_alias("housing", "champion")
    assert (champion.version, champion.run_id) == (2, second.run_id)
    assert champion.source == f"models:/{second.models[0].model_id}"
    assert champion.tags["decided_by"] == "gate"
    uri = client(repo).get_model_version_download_uri("housing", "1")
    assert uri.endswith(f"{first.run_id}/models/{first.models[0].model_id}")

    client(repo).create_registered_model("mine")
    registry.path_of(repo.mlruns, "housing", 2).unlink()
    bring_up(repo)
    assert client(repo).get_model_version_by_alias("housing", "champion").version == 1
    shutil.rmtree(repo.mlruns / "registry")
    bring_up(repo)
    assert [model.name for model in client(repo).search_registered_models()] == ["mine"]


def test_a_damaged_file_stops_the_build_and_changes_nothing(repo: Workspace) -> None:
    add_run(repo.mlruns)
    bring_up(repo)
    before = dump(repo)
    add_run(repo.mlruns)
    bad = add_run(repo.mlruns)
    path = layout.run_folders(repo.mlruns)[bad.run_id] / "run.json"
    path.write_text(path.read_text("utf-8")[:100])
    with pytest.raises(PipelineError, match="not whole JSON"):
        bring_up(repo)
    assert dump(repo) == before
    os.remove(path_of(repo))
    with pytest.raises(PipelineError, match="not whole JSON"):
        bring_up(repo)
    assert {path.name for path in repo.build.iterdir()} <= {"mlflow.db.lock"}


def test_a_model_in_two_runs_is_a_contradiction(repo: Workspace) -> None:
    shared = model_id()
    add_run(repo.mlruns, models={shared: {"model.onnx": b"x"}})
    add_run(repo.mlruns, models={shared: {"model.onnx": b"x"}})
    with pytest.raises(PipelineError, match="the history contradicts itself"):
        bring_up(repo)


def test_a_run_id_twice_is_one_sentence(repo: Workspace) -> None:
    run = add_run(repo.mlruns)
    add_run(repo.mlruns, run_id=run.run_id, started=STARTED + DAY_MS)
    with pytest.raises(PipelineError, match="lies in two folders"):
        bring_up(repo)


def test_a_registry_gap_is_one_sentence(repo: Workspace) -> None:
    run = add_run(repo.mlruns, models={model_id(): {"model.onnx": b"x"}})
    for _ in range(3):
        promote(repo, run)
    registry.path_of(repo.mlruns, "housing", 2).unlink()
    with pytest.raises(PipelineError, match="version 2 is missing"):
        bring_up(repo)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (
            lambda path: path.write_bytes(b"no database at all " * 100),
            "file is not a database",
        ),
        (
            lambda path: sqlite3.connect(path).execute("CREATE TABLE t (a)"),
            "no such table: alembic_version",
        ),
    ],
)
def test_another_file_is_not_overwritten(
    repo: Workspace, make: object, sentence: str
) -> None:
    repo.build.mkdir()
    make(path_of(repo))  # type: ignore[operator]
    before = path_of(repo).read_bytes()
    with pytest.raises(PipelineError, match=sentence):
        bring_up(repo)
    assert path_of(repo).read_bytes() == before


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
        command, cwd=ROOT, capture_output=True, text=True, check=False
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
        _, errors = process.communicate(timeout=60)
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
    wait_for(lambda: "1 runs (1 added, 0 removed)" in heard())
    bad = add_run(
        repo.root / "elsewhere"
    )  # no file is moved that the watcher may be reading
    (folder,) = layout.run_folders(repo.root / "elsewhere").values()
    (folder / "run.json").rename(repo.root / "aside")
    path = (
        layout.run_folders(repo.mlruns)[first.run_id].with_name(bad.run_id) / "run.json"
    )
    folder.rename(path.parent)
    wait_for(lambda: any("cannot be read" in told for told in heard()))
    time.sleep(0.3)
    looked, failures = (sample(exporter, name) for name in (LOOKED, FAILURES))
    assert failures >= 2
    time.sleep(0.2)
    assert sample(exporter, LOOKED) == looked  # as long as it does not agree
    (repo.root / "aside").rename(path)
    wait_for(lambda: runs_in(repo) == {first.run_id, bad.run_id})
    wait_for(lambda: sample(exporter, LOOKED) > looked + 0.2)
    assert len([told for told in heard() if "cannot be read" in told]) == 1


def sample(exporter: Exporter, name: str) -> float:
    value = exporter.registry.get_sample_value(name)
    assert value is not None
    return value


def wait_for(condition: object) -> None:
    deadline = time.monotonic() + 20
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < deadline
        time.sleep(0.02)


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
        command, cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert done.stdout.strip() == "False"
    made_by = database.SCHEMA.read_text(encoding="utf-8").partition(":")[0]
    stale = "write schema.sql anew: python tools/write_schema.py"
    assert made_by == f"-- Made by MLflow {version('mlflow')}", stale


@pytest.mark.slow
def test_the_schema_is_what_mlflow_makes() -> None:
    command = [sys.executable, "tools/write_schema.py", "--check"]
    assert subprocess.run(command, cwd=ROOT, check=False).returncode == 0
