"""The profile `scale`: MLflow on PostgreSQL and an S3 store, and what survives there.

    nox -s stack -- -m slow tests/stack/test_stores.py

It needs the images of both stores, and takes some minutes.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from mlflow import MlflowClient
from mlflow.artifacts import download_artifacts
from mlflow.entities import Run

from core.files import sha256_file
from history import History, import_runs, layout
from scripts.stack.settings import IN_S3, POSTGRES, STORE
from tests.stack.engine import DOWN, PROJECT, WAIT, Stack, docker
from tests.stack.notebook import Notebook
from tests.support.files import files_below
from tests.support.history_factories import add_run, new_workspace
from tests.support.waiting import wait_until
from tools.documents import checkout as checkouts

pytestmark = pytest.mark.slow
SERVER = "mlflow-server"
SECRET = "mlflow123"


@pytest.fixture(scope="module")
def scaled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """MLflow on its stores, in a project of its own beside the other tests' stack."""
    checkout: Path = tmp_path_factory.mktemp("scale") / "checkout"
    checkouts.copy_to(checkout)
    running = Stack(checkout)
    project = f"{PROJECT}-scale"
    running.environment |= {"COMPOSE_PROJECT_NAME": project, "COMPOSE_PROFILES": ""}
    stores = IN_S3 | {STORE: POSTGRES, "COMPOSE_PROFILES": "scale"}
    try:
        running.compose(*DOWN)  # what a killed run left behind
        output = running.start_command("--with", "scale", "--only", SERVER)
        running.start_output = output
        running.environment |= stores
        yield running
    except AssertionError:
        running.environment |= stores
        print(running.compose("logs", "--no-color", "--tail", "60"))
        raise
    finally:
        running.compose(*DOWN)


@pytest.fixture
def users(scaled: Stack, monkeypatch: pytest.MonkeyPatch) -> MlflowClient:
    """Return a client of MLflow as a notebook has: without any key of the store."""
    uri = scaled.url("MLFLOW")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    monkeypatch.setenv("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    return MlflowClient(uri, registry_uri=uri)


def all_runs(users: MlflowClient) -> dict[str, Run]:
    """Return every run that the server shows, by its ID."""
    experiments = [entry.experiment_id for entry in users.search_experiments()]
    runs = users.search_runs(experiments, max_results=1000)
    return {run.info.run_id: run for run in runs}


def download(uri: str, folder: Path) -> dict[str, str]:
    """Download all files of an address; return their digests by path."""
    folder.mkdir(parents=True)
    download_artifacts(uri, dst_path=str(folder))
    digests = {}
    for path in folder.rglob("*"):
        if path.is_file():
            name = path.relative_to(folder).as_posix()
            # MLflow puts the files into a folder with the name of the last part.
            digests[name.removeprefix(f"{layout.ARTIFACTS}/")] = sha256_file(path)
    return digests


def test_every_run_is_there_with_its_values(scaled: Stack, users: MlflowClient) -> None:
    assert "in the bucket, through MLflow's server" in scaled.start_output
    shown = all_runs(users)
    with History.open(scaled.checkout / "mlruns") as history:
        assert len(history) > 100
        assert set(shown) == set(history.folders)
        for run in history.runs():
            data = shown[run.run_id].data
            assert data.params == run.params
            assert run.tags.items() <= data.tags.items()
            for key, value in data.metrics.items():
                assert value == pytest.approx(
                    run.latest(key), rel=0, abs=0, nan_ok=True
                )


def test_every_file_has_its_digest(
    scaled: Stack, users: MlflowClient, tmp_path: Path
) -> None:
    count = 0
    shown = all_runs(users)
    with History.open(scaled.checkout / "mlruns") as history:
        for run in history.runs():
            expected = {file.path: file.sha256 for file in run.artifacts}
            if not expected:
                continue
            uri = shown[run.run_id].info.artifact_uri
            assert download(uri, tmp_path / run.run_id) == expected
            count += len(expected)
        for model in users.search_registered_models():
            champion = history.champion(model.name)
            assert champion is not None
            folder = tmp_path / model.name
            download(f"models:/{model.name}@champion", folder)
            (file,) = folder.rglob("model.onnx")
            assert sha256_file(file) == champion.sha256
    assert count > 100


def test_clients_get_no_address_of_the_store(
    scaled: Stack, users: MlflowClient
) -> None:
    features = scaled.ask("MLFLOW", "/api/3.0/mlflow/server-info")
    assert features["multipart_downloads_enabled"] is False
    assert features["multipart_uploads_enabled"] is False


def imported(scaled: Stack, run_id: str, folder: Path) -> Path:
    """Import a run of the server into a new history, and return its folder."""
    with new_workspace(folder).history() as history:
        (target,) = import_runs(scaled.url("MLFLOW"), history, [run_id])
    return target


def test_nothing_is_lost_when_each_service_is_killed_under_load(
    scaled: Stack, users: MlflowClient, tmp_path: Path
) -> None:
    """Runs, and their files, that a notebook has logged without an error."""
    with Notebook(users, tmp_path / "notes") as notebook:
        notebook.await_more(3)
        run_id, content = next(iter(notebook.logged.items()))
        before = imported(scaled, run_id, tmp_path / "before")
        for service in ("postgres", "s3", SERVER):
            scaled.compose("kill", "--signal", "KILL", service)
            scaled.compose("up", "--detach", "--no-deps", *WAIT, service)
            notebook.await_more(3)
    assert len(notebook.logged) >= 12
    print(f"\n{len(notebook.logged)} runs, {notebook.failures} attempts failed")
    shown = all_runs(users)
    for logged, text in notebook.logged.items():
        assert shown[logged].data.metrics == notebook.METRICS
        uri = shown[logged].info.artifact_uri
        folder = tmp_path / "after" / logged
        (path,) = download(uri, folder)
        assert path == notebook.FILE
        (file,) = folder.rglob(notebook.FILE)
        assert file.read_bytes() == text
    after = imported(scaled, run_id, tmp_path / "again")
    assert files_below(after) == files_below(before)
    assert (after / layout.ARTIFACTS / notebook.FILE).read_bytes() == content


def test_a_pull_brings_runs_with_their_files(
    scaled: Stack, users: MlflowClient, tmp_path: Path
) -> None:
    source = tmp_path / "mlruns"
    run = add_run(source, {"note ä.txt": b"pulled"}, experiment="iris")
    shutil.copytree(source, scaled.checkout / "mlruns", dirs_exist_ok=True)

    def has_arrived() -> bool:
        if run.run_id not in all_runs(users):
            return False
        names = [file.path for file in users.list_artifacts(run.run_id)]
        return names == ["note ä.txt"]

    wait_until(has_arrived, pause=1)
    (folder,) = source.glob(f"*/*/{run.run_id}")
    again = imported(scaled, run.run_id, tmp_path / "again")
    assert files_below(again) == files_below(folder)


def test_the_server_has_two_workers_and_no_secret_in_its_arguments(
    scaled: Stack,
) -> None:
    (container,) = scaled.containers(SERVER)
    processes = docker("top", container["Id"], "-eo", "pid,args")
    assert "--workers 2" in processes
    for service in (SERVER, "postgres", "s3"):
        (container,) = scaled.containers(service)
        assert SECRET not in docker("top", container["Id"], "-eo", "pid,args")
        assert SECRET not in docker("logs", container["Id"])


def test_the_profile_without_the_variables_is_one_sentence(scaled: Stack) -> None:
    arguments = ["run", "--rm", "--no-deps", "--env", f"{STORE}=", "mlflow-schema"]
    with pytest.raises(AssertionError, match="MLOPS_STORE is not set, so MLflow"):
        scaled.compose(*arguments)
