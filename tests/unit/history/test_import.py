"""Which runs of a store get into the history, with which others, and how often."""

from pathlib import Path

import mlflow
import pytest
from mlflow.entities import LoggedModelInput

from core.errors import PipelineError
from history import layout, runfile
from history.runfile import Run
from tests.support.history_factories import Workspace, import_into, verify
from tests.support.source_store import SourceStore


@pytest.fixture
def source(tmp_path: Path) -> SourceStore:
    return SourceStore(tmp_path / "source")


def load(folder: Path) -> Run:
    return runfile.load(folder / "run.json")


def test_a_run_comes_with_its_family_and_the_runs_whose_models_it_uses(
    repo: Workspace, source: SourceStore
) -> None:
    client = source.client
    parent = source.log()
    child = source.log(parent=parent)
    sibling = source.log(parent=parent)
    owner = source.log()
    model = client.create_logged_model(source.experiment, "model", owner)
    unrelated = source.log()
    user = source.log(status=None, parent=sibling)
    client.log_inputs(user, models=[LoggedModelInput(model.model_id)])
    client.set_terminated(user)

    folders = import_into(repo, source.uri, [child])
    order = [folder.name for folder in folders]
    assert set(order) == {parent, child, sibling, user, owner}
    assert order.index(parent) < order.index(sibling) < order.index(user)
    assert order.index(owner) < order.index(user)
    child_folder = folders[order.index(child)]
    assert load(child_folder).parent == parent
    assert verify(repo) == []
    assert unrelated not in layout.run_folders(repo.mlruns)


def test_importing_again_changes_nothing(repo: Workspace, source: SourceStore) -> None:
    run_id = source.log()
    (folder,) = import_into(repo, source.uri)
    path = folder / "run.json"
    before = path.stat().st_mtime_ns
    assert import_into(repo, source.uri, [run_id]) == [folder]
    assert path.stat().st_mtime_ns == before
    local = {path.name for path in (repo.mlruns / ".local").iterdir()}
    assert local <= {"write.lock"}


def test_an_imported_run_that_has_changed_is_refused(
    repo: Workspace, source: SourceStore
) -> None:
    run_id = source.log()
    (folder,) = import_into(repo, source.uri)
    path = folder / "run.json"
    before = path.read_bytes()
    source.client.set_tag(run_id, "late", "1")
    with pytest.raises(PipelineError, match="has changed since it was imported"):
        import_into(repo, source.uri, [run_id])
    assert path.read_bytes() == before


def test_a_run_that_has_not_ended_is_refused_or_left_out_with_a_sentence(
    repo: Workspace, source: SourceStore
) -> None:
    running = source.log(status=None)
    deleted = source.log()
    ended = source.log()
    source.client.delete_run(deleted)
    orphan = source.log(parent=deleted)
    notices: list[str] = []
    (folder,) = import_into(repo, source.uri, notice=notices.append)
    assert folder.name == ended
    assert notices == [
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
    repo: Workspace, source: SourceStore
) -> None:
    client = source.client
    owner = source.log()
    deleted = client.create_logged_model(source.experiment, "deleted", owner)
    alone = client.create_logged_model(source.experiment, "alone")
    run_id = source.log(status=None)
    links = [
        LoggedModelInput(deleted.model_id),
        LoggedModelInput(alone.model_id),
    ]
    client.log_inputs(run_id, models=links)
    client.set_terminated(run_id)
    client.delete_logged_model(deleted.model_id)
    (folder,) = import_into(repo, source.uri, [run_id])
    assert load(folder).model_inputs == []


def test_more_runs_than_a_folder_should_hold_get_another_folder(
    repo: Workspace,
    source: SourceStore,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(layout, "MOST_ENTRIES", 2)
    for _ in range(5):
        source.log()
    suffixes = []
    for folder in import_into(repo, source.uri):
        _, _, suffix = folder.parent.name.partition("_")
        suffixes.append(suffix)
    assert suffixes == ["", "", "2", "2", "3"]


def test_an_unknown_run_is_one_sentence(repo: Workspace, source: SourceStore) -> None:
    with pytest.raises(PipelineError, match="not found"):
        import_into(repo, source.uri, ["0" * 32])


def test_what_is_not_imported_is_listed(repo: Workspace, source: SourceStore) -> None:
    run = source.log()
    client = source.client
    client.create_registered_model("m")
    for _ in range(2):
        client.create_model_version("m", (source.folder / "model").as_uri(), run)
    client.register_prompt("p", "hello {{name}}")
    mlflow.set_tracking_uri(source.uri)
    try:
        mlflow.set_experiment("housing")
        with mlflow.start_span("asked"):
            pass
        mlflow.flush_trace_async_logging()
    finally:
        mlflow.set_tracking_uri(None)
    notices: list[str] = []
    import_into(repo, source.uri, notice=notices.append)
    assert notices == [
        "The store also holds 1 trace and 1 prompt; the history keeps only runs and"
        " their models.",
        "2 registered model versions are not imported (m/1, m/2): a version in the"
        " history is the promotion of a run's `model.onnx`, and `History.promote`"
        " adds it.",
    ]
