"""An exported file store is imported as it was, and MLflow shows both alike."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from core.errors import PipelineError, UsageError
from history import address, build, layout
from history.export import export
from pipeline.cli import app
from tests.support.history_factories import (
    DAY_MS,
    STARTED,
    Workspace,
    add_run,
    import_into,
    model_id,
    new_workspace,
    promote,
)
from tests.support.mlflow_listing import listing

MODEL = b"artifact_path: mlflow-artifacts:/housing/2026-11-18/x/models/y\nflavors: {}\n"
DATASET = {
    "name": "housing",
    "digest": "d",
    "source_type": "http",
    "source": '{"url": "u"}',
    "schema": None,
    "profile": "{}",
    "tags": {"context": "training"},
}


def fill(repo: Workspace) -> None:
    """Fill a history with all that it can hold."""
    logged = model_id()
    parent = add_run(
        repo.mlruns,
        files={"plots/a.png": b"a", "b ä.txt": b"b"},
        datasets=[DATASET],
    )
    trained = add_run(
        repo.mlruns,
        models={logged: {"model.onnx": b"m", "MLmodel": MODEL}},
        parent=parent.run_id,
        metrics={"loss": [(0.5, 0, 0), (0.25, 7, 1)], "fold/1": [(1.0, 0, 0)]},
    )
    promote(repo, trained)
    promote(repo, trained)
    add_run(
        repo.mlruns,
        model_inputs=[logged],
        status="FAILED",
        ended=None,
        experiment="Übung 1",
    )
    add_refused_push(repo)


def add_refused_push(repo: Workspace) -> None:
    """Add a parent run with a challenger that was not promoted."""
    day = STARTED + DAY_MS
    push = add_run(
        repo.mlruns,
        tags={"gate": "refused", "gate.reason": "worse"},
        params={"challenger": "ridge"},
        started=day,
        ended=day,
    )
    add_run(
        repo.mlruns,
        params={"algorithm": "ridge"},
        parent=push.run_id,
        started=day,
        ended=day,
    )


def test_mlflow_shows_a_file_store_as_it_shows_the_database(
    repo: Workspace, tmp_path: Path
) -> None:
    fill(repo)
    target = tmp_path / "a store" / "mlruns"
    exported = export(repo.history(), target)
    assert exported.runs == 5
    assert exported.versions == 3
    assert exported.left_out == {}
    database = tmp_path / "mlflow.db"
    build.build_database(repo.mlruns, database)
    with address.settings_for(target.as_uri()):
        shown = listing(target.as_uri(), None)
    uri = f"sqlite:///{database.as_posix()}"
    assert shown == listing(uri, str(repo.mlruns))
    model = shown["registered"]["housing"]
    assert model["aliases"] == {"champion": 2, "challenger": 0}
    assert shown["experiments"]["Übung 1"]["runs"]


def test_an_exported_history_is_imported_as_it_was(
    repo: Workspace, tmp_path: Path
) -> None:
    fill(repo)
    export(repo.history(), tmp_path / "store")
    again = new_workspace(tmp_path / "again")
    import_into(again, str(tmp_path / "store"))
    folders = layout.run_folders(again.mlruns)
    for run_id, folder in layout.run_folders(repo.mlruns).items():
        before = content_of(folder)
        after = content_of(folders[run_id])
        assert after == before


def content_of(folder: Path) -> dict[Path, bytes]:
    """Return the files of a run without what an import changes.

    The address in a model, which `fill` invents, becomes the one in the history; the
    model's size and digest change with it.
    """
    files = {}
    for path in folder.rglob("*"):
        if path.is_file():
            files[path.relative_to(folder)] = path.read_bytes()
    run_file = Path(layout.RUN_FILE)
    for path in list(files):
        if path.name == "MLmodel":
            assert files.pop(path).endswith(b"flavors: {}\n")
            files[run_file] = without_digests(files[run_file])
    return files


def without_digests(text: bytes) -> bytes:
    """Return a `run.json` in which the files of models have their paths alone."""
    run = json.loads(text)
    for model in run["models"]:
        model["artifacts"] = [file["path"] for file in model["artifacts"]]
    return json.dumps(run).encode()


UNWRITABLE: dict[str, Any] = {
    "has the param 'a/b' beside another": {"params": {"a": "1", "a/b": "2"}},
    "has the tag '../x', which MLflow does not allow": {"tags": {"../x": "1"}},
    "has the tag '/x', which MLflow does not allow": {"tags": {"/x": "1"}},
    "has the metric 'a*', which MLflow does not allow": {
        "metrics": {"a*": [(1.0, 0, 0)]}
    },
    "which is too long for the name of a file": {"params": {"ä" * 130: "1"}},
}


@pytest.mark.parametrize("reason", UNWRITABLE)
def test_a_run_that_a_file_store_cannot_hold_is_left_out_and_reported(
    repo: Workspace,
    tmp_path: Path,
    reason: str,
) -> None:
    store = tmp_path / "store"
    kept = add_run(repo.mlruns)
    odd = add_run(
        repo.mlruns,
        models={model_id(): {"model.onnx": b"m"}},
        **UNWRITABLE[reason],
    )
    promote(repo, odd)
    notices: list[str] = []
    exported = export(repo.history(), store, notices.append)
    assert exported.runs == 1
    assert exported.versions == 0
    (notice,) = notices
    assert notice.startswith(f"the run {odd.run_id} has ")
    assert reason in notice
    folders = {path.name for path in store.rglob("*") if path.is_dir()}
    assert kept.run_id in folders
    assert odd.run_id not in folders
    assert odd.models[0].model_id not in folders


def test_the_command_fails_if_runs_are_left_out(
    repo: Workspace, tmp_path: Path
) -> None:
    add_run(repo.mlruns, params={"a": "1", "a/b": "2"})
    target = str(tmp_path / "store")
    arguments = ["--repo", str(repo.root), "history", "export", "--to", target]
    result = CliRunner().invoke(app, arguments)
    assert isinstance(result.exception, PipelineError)
    assert "1 run is left out" in str(result.exception)


def test_existing_files_are_never_overwritten(repo: Workspace, tmp_path: Path) -> None:
    add_run(repo.mlruns)
    mine = tmp_path / "full" / "mine.txt"
    mine.parent.mkdir()
    mine.write_text("mine", encoding="utf-8")
    for target in (mine.parent, mine):
        with pytest.raises(UsageError, match="is not empty: name a folder that is"):
            export(repo.history(), target)
    with pytest.raises(UsageError, match="lies in the history"):
        export(repo.history(), repo.mlruns / "housing" / "out")
    empty = tmp_path / "empty"
    empty.mkdir()
    export(repo.history(), empty)
    assert mine.read_text("utf-8") == "mine"
    assert (empty / "0" / "meta.yaml").is_file()
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"clone", "full", "empty"}


def test_a_damaged_history_leaves_nothing_behind(
    repo: Workspace, tmp_path: Path
) -> None:
    add_run(repo.mlruns)
    run = add_run(repo.mlruns)
    path = layout.run_folders(repo.mlruns)[run.run_id] / layout.RUN_FILE
    path.write_text("{", encoding="utf-8")
    with pytest.raises(PipelineError, match="is not whole JSON"):
        export(repo.history(), tmp_path / "store")
    assert [path.name for path in tmp_path.iterdir()] == ["clone"]


def test_a_folder_that_is_not_a_file_store_is_not_written_to(
    repo: Workspace, tmp_path: Path
) -> None:
    add_run(repo.mlruns)
    again = new_workspace(tmp_path / "again")
    other = tmp_path / "other"
    other.mkdir()
    for place in (other, repo.mlruns):
        before = sorted(place.rglob("*"))
        with pytest.raises(UsageError, match="is not a file store of MLflow"):
            import_into(again, str(place))
        assert sorted(place.rglob("*")) == before
