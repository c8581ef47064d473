"""The database in PostgreSQL shows what the one in SQLite shows, and follows the files."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import given
from mlflow import MlflowClient

from core.errors import PipelineError, UsageError
from history import build_database, layout
from history.build import Change
from history.metrics import Exporter
from history.watch import Watcher
from tests.paths import ROOT
from tests.support.built_database import bring_up, client, path_of
from tests.support.history_factories import (
    DATASET,
    Workspace,
    add_run,
    import_into,
    model_id,
    new_store,
    new_workspace,
    promote,
)
from tests.support.logged_runs import EXPERIMENTS, Experiments, examples, log_all
from tests.support.mlflow_listing import listing
from tests.support.mlflow_picture import picture
from tests.support.postgres import Server, database_of
from tests.support.promoted_history import PromotedHistory
from tests.support.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.slow
pytest.importorskip("psycopg")

# The tables that a history fills.
TABLES = (
    "experiments runs params tags metrics latest_metrics datasets inputs input_tags"
    " logged_models registered_models registered_model_aliases model_versions"
    " model_version_tags"
)


def dump(server: Server, address: str) -> dict[str, list[str]]:
    """Return the rows of the tables that a history fills."""
    rows = {}
    for table in TABLES.split():
        content = server.query(database_of(address), f"SELECT * FROM {table}")
        rows[table] = sorted(map(str, content))
    return rows


def client_at(address: str) -> MlflowClient:
    return MlflowClient(address, registry_uri=address)


def test_all_of_a_history_is_as_in_sqlite(tmp_path: Path, address: str) -> None:
    history = PromotedHistory(tmp_path / "clone")
    repo = history.repo
    used = history.run.models[0].model_id
    add_run(repo.mlruns, model_inputs=[used], datasets=[DATASET])
    add_run(
        repo.mlruns,
        tags={"gate": "refused", "gate.reason": "no"},
        params={"challenger": "ridge"},
    )
    assert build_database(repo.mlruns, address) == bring_up(repo)
    uri = f"sqlite:///{path_of(repo).as_posix()}"
    expected = listing(uri, str(repo.mlruns))
    assert expected["registered"]["housing"]["versions"]
    assert listing(address, str(repo.mlruns)) == expected


@pytest.mark.nightly
def test_all_of_the_committed_history_is_as_in_sqlite(
    tmp_path: Path,
    address: str,
) -> None:
    mlruns = ROOT / "mlruns"
    file = tmp_path / "mlflow.db"
    assert build_database(mlruns, address) == build_database(mlruns, file)
    uri = f"sqlite:///{file.as_posix()}"
    folder = str(mlruns)
    assert listing(address, folder) == listing(uri, folder)


@examples(3)
@given(EXPERIMENTS)
def test_any_runs_are_as_in_sqlite(
    tmp_path: Path,
    server: Server,
    new_database: Callable[[], str],
    experiments: Experiments,
) -> None:
    folder = tmp_path / uuid4().hex
    uri, source, _ = new_store(folder / "source")
    log_all(source, experiments, (folder / "artifacts").as_uri())
    repo = new_workspace(folder / "clone")
    import_into(repo, uri)
    bring_up(repo)
    address = server.address(new_database())
    build_database(repo.mlruns, address)
    assert picture(client_at(address)) == picture(client(repo))


def test_runs_are_added_and_removed_with_all_their_rows(
    repo: Workspace,
    server: Server,
    address: str,
) -> None:
    first = add_run(repo.mlruns, models={model_id(): {"model.onnx": b"x"}})
    assert build_database(repo.mlruns, address) == Change(1, 0, 1)
    before = dump(server, address)
    used = first.models[0].model_id
    second = add_run(
        repo.mlruns,
        models={model_id(): {"model.onnx": b"x"}},
        model_inputs=[used],
        datasets=[DATASET],
    )
    promote(repo, second)
    assert build_database(repo.mlruns, address) == Change(1, 0, 2)
    shutil.rmtree(layout.run_folders(repo.mlruns)[second.run_id])
    shutil.rmtree(repo.mlruns / layout.REGISTRY)
    assert build_database(repo.mlruns, address) == Change(0, 1, 1)
    assert dump(server, address) == before
    assert build_database(repo.mlruns, address) == Change(0, 0, 1)


def test_what_users_log_stays(repo: Workspace, address: str) -> None:
    promote(repo, add_run(repo.mlruns, models={model_id(): {"model.onnx": b"x"}}))
    build_database(repo.mlruns, address)
    users = client_at(address)
    housing = users.get_experiment_by_name("housing")
    run_id = users.create_run(housing.experiment_id).info.run_id
    users.log_metric(run_id, "loss", 0.5)
    # PostgreSQL numbers it, after the numbers that the history chose itself.
    own = users.create_experiment("mine", "mlflow-artifacts:/.local/mine")
    assert int(own) > int(housing.experiment_id)
    users.set_registered_model_tag("housing", "owner", "ann")
    before = users.get_run(run_id).to_dictionary()

    promote(repo, add_run(repo.mlruns, models={model_id(): {"model.onnx": b"y"}}))
    assert build_database(repo.mlruns, address) == Change(1, 0, 2)
    assert users.get_run(run_id).to_dictionary() == before
    model = users.get_registered_model("housing")
    assert model.tags == {"owner": "ann"}
    assert model.aliases == {"champion": 2}
    assert users.get_experiment(own).name == "mine"


@pytest.mark.nightly
def test_builds_at_once_agree(repo: Workspace, server: Server) -> None:
    """They all begin on an empty database; one creates the tables, the others wait."""
    address = server.address(server.create())
    for _ in range(50):
        add_run(repo.mlruns)
    command = [sys.executable, "-m", "history", "--folder", str(repo.mlruns), "build"]
    command += ["--db", address]
    processes = []
    for _ in range(2):
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        processes.append(process)
    added = 0
    for process in processes:
        output, _ = process.communicate(timeout=PATIENCE_SECONDS)
        assert process.returncode == 0, output
        assert server.password not in output
        added += "50 runs (50 added, 0 removed)" in output
    assert added == 1
    ((count,),) = server.query(database_of(address), "SELECT count(*) FROM runs")
    assert count == 50


def test_a_damaged_file_changes_nothing(
    repo: Workspace,
    server: Server,
    address: str,
) -> None:
    add_run(repo.mlruns)
    build_database(repo.mlruns, address)
    before = dump(server, address)
    add_run(repo.mlruns)
    shared = model_id()
    add_run(repo.mlruns, models={shared: {"model.onnx": b"x"}})
    add_run(repo.mlruns, models={shared: {"model.onnx": b"x"}})
    with pytest.raises(PipelineError, match="the history contradicts itself"):
        build_database(repo.mlruns, address)
    assert dump(server, address) == before


def test_its_runs_are_imported_from_the_server_alone(
    repo: Workspace,
    tmp_path: Path,
    address: str,
) -> None:
    add_run(repo.mlruns, {"note.txt": b"noted"})
    build_database(repo.mlruns, address)
    other = new_workspace(tmp_path / "other")
    with pytest.raises(UsageError, match="name the server, http://HOST:PORT"):
        import_into(other, address)
    assert layout.run_folders(other.mlruns) == {}


def test_the_watcher_keeps_it_and_its_metrics_up_to_date(
    repo: Workspace,
    address: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    run = add_run(
        repo.mlruns,
        models={model_id(): {"model.onnx": b"x"}},
        metrics={"holdout_rmse": [(0.5, 0, 0)]},
    )
    promote(repo, run, decided_by="hand")
    exporter = Exporter()
    watcher = Watcher(repo.mlruns, address, exporter)
    watcher.check()
    add_run(repo.mlruns)
    watcher.check()
    output = capsys.readouterr().out
    assert output == "1 run (1 added, 0 removed)\n2 runs (1 added, 0 removed)\n"
    bring_up(repo)
    of_file = Exporter()
    of_file.update(path_of(repo))
    assert samples(exporter) == samples(of_file)
    names_and_values = [key[::2] for key in samples(exporter)]
    assert ("model_history_runs", 2.0) in names_and_values


def samples(exporter: Exporter) -> list[tuple[str, str, float]]:
    """Return the name, labels and value of every series of the history."""
    series = []
    for family in exporter.collect():
        for sample in family.samples:
            series.append(
                (sample.name, str(sorted(sample.labels.items())), sample.value)
            )
    return sorted(series)
