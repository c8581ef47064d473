"""What a store holds gets into the history whole, once, and fit for every clone."""

import signal
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from mlflow.entities import Dataset, DatasetInput, LoggedModelInput, Param

from core.errors import PipelineError, UsageError
from history import layout, runfile
from history.runfile import Run
from tests.conftest import posix
from tests.paths import ROOT
from tests.support.history_factories import Workspace, import_into, new_store, verify
from tests.support.waiting import wait_until


class Source:
    """An MLflow store of the test's own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.uri, self.client, self.experiment = new_store(folder)

    def log(self, status: str | None = "FINISHED", **tags: str) -> str:
        run = self.client.create_run(self.experiment, tags=tags)
        if status:
            self.client.set_terminated(run.info.run_id, status)
        return str(run.info.run_id)


@pytest.fixture
def source(tmp_path: Path) -> Source:
    return Source(tmp_path / "source")


def load(folder: Path) -> Run:
    return runfile.load(folder / "run.json")


def test_a_run_comes_with_its_family_and_the_runs_whose_models_it_uses(
    repo: Workspace, source: Source
) -> None:
    parent = source.log()
    child = source.log(**{"mlflow.parentRunId": parent})
    sibling = source.log(**{"mlflow.parentRunId": parent})
    maker = source.log()
    model = source.client.create_logged_model(source.experiment, "model", maker)
    stranger = source.log()
    user = source.log(status=None, **{"mlflow.parentRunId": sibling})
    source.client.log_inputs(user, models=[LoggedModelInput(model.model_id)])
    source.client.set_terminated(user)
    folders = import_into(repo, source.uri, [child])
    names = [folder.name for folder in folders]
    assert set(names) == {parent, child, sibling, user, maker}
    assert names.index(parent) < names.index(sibling) < names.index(user)
    assert names.index(maker) < names.index(user)
    assert load(folders[names.index(child)]).parent == parent
    assert verify(repo) == []
    assert stranger not in layout.run_folders(repo.mlruns)


def test_saving_again_changes_nothing(repo: Workspace, source: Source) -> None:
    run_id = source.log()
    (folder,) = import_into(repo, source.uri)
    before = (folder / "run.json").stat().st_mtime_ns
    assert import_into(repo, source.uri, [run_id]) == [folder]
    assert (folder / "run.json").stat().st_mtime_ns == before
    assert {path.name for path in (repo.mlruns / ".local").iterdir()} <= {"write.lock"}


def test_a_saved_run_that_went_on_is_refused(repo: Workspace, source: Source) -> None:
    run_id = source.log()
    (folder,) = import_into(repo, source.uri)
    before = (folder / "run.json").read_bytes()
    source.client.set_tag(run_id, "late", "1")
    with pytest.raises(PipelineError, match="has changed since it was imported"):
        import_into(repo, source.uri, [run_id])
    assert (folder / "run.json").read_bytes() == before


def test_what_has_not_ended_is_refused_or_left_out_with_a_sentence(
    repo: Workspace, source: Source
) -> None:
    running, deleted, ended = source.log(status=None), source.log(), source.log()
    source.client.delete_run(deleted)
    orphan = source.log(**{"mlflow.parentRunId": deleted})
    heard: list[str] = []
    assert [
        folder.name for folder in import_into(repo, source.uri, notice=heard.append)
    ] == [ended]
    assert heard == [
        f"the run {running} is RUNNING: only ended runs can be imported.",
        (
            f"the run {orphan} is left out with its parent, the run {deleted}, which is"
            " deleted: only ended runs can be imported."
        ),
    ]
    for run_id in (running, orphan):
        with pytest.raises(PipelineError, match="only ended runs can be imported"):
            import_into(repo, source.uri, [run_id])


def test_links_to_models_of_no_run_are_left_out(
    repo: Workspace, source: Source
) -> None:
    maker = source.log()
    deleted = source.client.create_logged_model(source.experiment, "deleted", maker)
    alone = source.client.create_logged_model(source.experiment, "alone")
    run_id = source.log(status=None)
    links = [LoggedModelInput(deleted.model_id), LoggedModelInput(alone.model_id)]
    source.client.log_inputs(run_id, models=links)
    source.client.set_terminated(run_id)
    source.client.delete_logged_model(deleted.model_id)
    (folder,) = import_into(repo, source.uri, [run_id])
    assert load(folder).model_inputs == []


def test_all_artifacts_come_along_with_their_digests(
    repo: Workspace, source: Source
) -> None:
    run_id = source.log(status=None)
    for path, text in (
        ("note.txt", "n"),
        ("plots/a b.txt", "p"),
        ("plots/deep/ü.txt", ""),
    ):
        source.client.log_text(run_id, text, path)
    source.client.set_terminated(run_id)
    (folder,) = import_into(repo, source.uri)
    listed = [(file.path, file.size) for file in load(folder).artifacts]
    assert listed == [("note.txt", 1), ("plots/a b.txt", 1), ("plots/deep/ü.txt", 0)]
    assert verify(repo) == []


def test_no_path_of_this_machine_gets_into_the_history(
    repo: Workspace, source: Source
) -> None:
    run_id = source.log(
        status=None, **{"mlflow.source.name": f"{repo.root}/tools/train.py"}
    )
    client = source.client
    client.log_param(run_id, "folder", "C:\\Users\\ann\\data.csv")
    client.log_param(run_id, "route", "/x")
    client.log_metric(run_id, "a /tmp b", 1)
    client.set_tag(run_id, "where", "file:///home/ann/some%20data.csv")
    client.set_tag(run_id, "note", "see /home/ann for more")
    local = Dataset(
        "d", "1", "local", f'{{"uri": "{repo.root.as_posix()}/data/d.csv"}}'
    )
    client.log_inputs(run_id, [DatasetInput(local)])
    client.set_terminated(run_id)
    (folder,) = import_into(repo, source.uri)
    run = load(folder)
    assert run.tags["mlflow.source.name"] == "tools/train.py"
    assert run.params == {"folder": "data.csv", "route": "/x"}
    assert run.tags["where"] == "some data.csv"
    assert run.tags["note"] == "see /home/ann for more"
    assert run.datasets[0].source == '{"uri": "data/d.csv"}'
    assert str(repo.root) not in (folder / "run.json").read_text("utf-8")


def test_a_logged_model_names_its_place_in_the_history(
    repo: Workspace, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    import mlflow
    from skl2onnx import to_onnx
    from sklearn.linear_model import LinearRegression

    rows = np.random.default_rng(1).random((20, 2), dtype=np.float32)
    model = to_onnx(LinearRegression().fit(rows, rows[:, 0]), rows)
    monkeypatch.chdir(source.folder)
    monkeypatch.setattr(
        mlflow.tracking.fluent, "_active_experiment_id", source.experiment
    )
    mlflow.set_tracking_uri(source.uri)
    try:
        with mlflow.start_run() as run:
            logged = mlflow.onnx.log_model(
                model, name="model", pip_requirements=["onnx"]
            )
            table = pd.DataFrame(rows, columns=["a", "b"])
            mlflow.log_input(
                mlflow.data.from_pandas(table, source=str(source.folder / "d.csv"))
            )
    finally:
        mlflow.set_tracking_uri(None)
    (folder,) = import_into(repo, source.uri, [run.info.run_id])
    text = (folder / "models" / logged.model_id / "MLmodel").read_text("utf-8")
    below = f"{folder.parent.name}/{folder.name}/models/{logged.model_id}"
    assert f"artifact_path: mlflow-artifacts:/housing/{below}\n" in text
    assert verify(repo) == []
    assert not [path for path in absolute(repo) if b"/tmp/" in path.read_bytes()]


def absolute(repo: Workspace) -> list[Path]:
    return [path for path in repo.mlruns.rglob("*") if path.is_file()]


def test_more_runs_than_a_folder_should_hold_get_another_folder(
    repo: Workspace, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(layout, "MOST_ENTRIES", 2)
    for _ in range(5):
        source.log()
    days = [folder.parent.name for folder in import_into(repo, source.uri)]
    assert [day.partition("_")[2] for day in days] == ["", "", "2", "2", "3"]


def test_a_store_that_is_not_there_is_one_sentence(
    repo: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for waiting in ("FACTOR", "JITTER"):
        monkeypatch.setenv(f"MLFLOW_HTTP_REQUEST_BACKOFF_{waiting}", "0")
    with pytest.raises(UsageError, match="there is no such file"):
        import_into(repo, f"sqlite:///{tmp_path}/none.db")
    assert not (tmp_path / "none.db").exists()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        uri = f"http://127.0.0.1:{free.getsockname()[1]}"
    with pytest.raises(PipelineError, match=uri):
        import_into(repo, uri)


def test_a_run_that_is_not_there_is_one_sentence(
    repo: Workspace, source: Source
) -> None:
    with pytest.raises(PipelineError, match="not found"):
        import_into(repo, source.uri, ["0" * 32])


def command(repo: Workspace, source: Source, before: str = "pass") -> list[str]:
    script = (
        f"{before}; import sys; from history.__main__ import main; sys.argv[0] ="
        " 'mlflow-history'; main()"
    )
    arguments = ["--folder", str(repo.mlruns), "import", "--from", source.uri]
    return [sys.executable, "-c", script, *arguments]


@posix
@pytest.mark.slow
def test_a_full_disk_is_one_sentence_and_leaves_no_half_run(
    repo: Workspace, source: Source
) -> None:
    run_id = source.log(status=None)
    source.client.log_text(run_id, "x" * 100_000, "large.txt")
    source.client.set_terminated(run_id)
    limit = (
        "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); "
        "resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))"
    )
    done = subprocess.run(
        command(repo, source, limit), cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 1
    assert "Traceback" not in done.stderr and "File too large" in " ".join(
        done.stderr.split()
    )
    assert layout.run_folders(repo.mlruns) == {}
    assert len(import_into(repo, source.uri)) == 1


@pytest.mark.slow
def test_a_killed_save_is_finished_by_the_next(repo: Workspace, source: Source) -> None:
    for _ in range(80):
        run_id = source.log(status=None)
        source.client.log_batch(run_id, params=[Param("p", "v")])
        source.client.log_text(run_id, "x" * 2000, "a/note.txt")
        source.client.set_terminated(run_id)
    begun = 0
    for _ in range(2):
        process = subprocess.Popen(
            command(repo, source), cwd=ROOT, stdout=subprocess.DEVNULL
        )
        enough = begun + 10
        wait_until(lambda: len(layout.run_folders(repo.mlruns)) >= enough, pause=0.003)
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert verify(repo) == []
        begun = len(layout.run_folders(repo.mlruns))
        assert 0 < begun < 80
    assert len(import_into(repo, source.uri)) == 80
    assert verify(repo) == []
    assert not (repo.mlruns / ".local" / "importing").exists()
