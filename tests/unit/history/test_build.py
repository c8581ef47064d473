"""The database follows the files, and keeps what does not come from the history."""

import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from mlflow.entities.model_registry import ModelVersion

from core.errors import PipelineError
from history import build, layout, registry
from history.build import Change
from history.runfile import Run
from tests.support.built_database import bring_up, client, path_of, runs_in
from tests.support.history_factories import (
    DATASET,
    DAY_MS,
    STARTED,
    Workspace,
    add_run,
    import_into,
    model_id,
    promote,
    query,
)


def dump(repo: Workspace) -> list[str]:
    """Return the content of the database without its statistics."""
    with closing(sqlite3.connect(path_of(repo))) as connection:
        lines = list(connection.iterdump())
    return sorted(line for line in lines if "sqlite_stat" not in line)


def add_model_run(repo: Workspace, content: bytes = b"x", **changes: Any) -> Run:
    """Add a run with a model."""
    models = {model_id(): {"model.onnx": content}}
    return add_run(repo.mlruns, models=models, **changes)


def folder_of(repo: Workspace, run: Run) -> Path:
    folders = layout.run_folders(repo.mlruns)
    return folders[run.run_id]


def test_an_empty_history_gives_an_empty_store(repo: Workspace) -> None:
    assert bring_up(repo) == Change(0, 0, 0)
    (experiment,) = client(repo).search_experiments()
    assert experiment.name == "Default"


def test_runs_are_added_and_removed_with_all_their_rows(repo: Workspace) -> None:
    first = add_model_run(repo)
    assert bring_up(repo) == Change(1, 0, 1)
    before = dump(repo)
    used = first.models[0].model_id
    second = add_model_run(repo, model_inputs=[used], datasets=[DATASET])
    assert bring_up(repo) == Change(1, 0, 2)
    assert runs_in(repo) == {first.run_id, second.run_id}
    shutil.rmtree(folder_of(repo, second))
    assert bring_up(repo) == Change(0, 1, 1)
    assert dump(repo) == before
    assert bring_up(repo) == Change(0, 0, 1)


def test_the_order_in_which_runs_arrive_does_not_matter(
    repo: Workspace,
    tmp_path: Path,
) -> None:
    for number in range(4):
        experiment = f"e{number % 2}"
        add_run(repo.mlruns, experiment=experiment, started=STARTED + number)
        bring_up(repo)
    at_once = tmp_path / "at-once.db"
    build.build_database(repo.mlruns, at_once)
    statement = "SELECT * FROM runs ORDER BY run_uuid"
    assert query(path_of(repo), statement) == query(at_once, statement)


def test_an_experiment_has_the_same_id_in_every_clone_unless_it_is_taken(
    repo: Workspace,
    tmp_path: Path,
) -> None:
    add_run(repo.mlruns)
    bring_up(repo)
    experiment_ids = "SELECT name, experiment_id FROM experiments"
    ids = dict(query(path_of(repo), experiment_ids))
    usual = ids["housing"]
    other = tmp_path / "other.db"
    build.build_database(tmp_path / "no-history", other)
    with closing(sqlite3.connect(other)) as connection:
        connection.execute(
            "INSERT INTO experiments (experiment_id, name, lifecycle_stage)"
            " VALUES (?, 'taken', 'active')",
            (usual,),
        )
        connection.commit()
    build.build_database(repo.mlruns, other)
    other_ids = dict(query(other, experiment_ids))
    assert other_ids["housing"] == usual + 1


def test_a_run_that_was_logged_into_the_database_stays_and_moves_when_imported(
    repo: Workspace,
) -> None:
    add_run(repo.mlruns)
    bring_up(repo)
    uri = f"sqlite:///{path_of(repo).as_posix()}"
    store = client(repo)
    experiment = store.get_experiment_by_name("housing")
    assert experiment.artifact_location == "mlflow-artifacts:/.local/housing"
    run = store.create_run(experiment.experiment_id)
    run_id = run.info.run_id
    own = f"mlflow-artifacts:/.local/housing/{run_id}/artifacts"
    assert run.info.artifact_uri == own
    artifact = repo.mlruns / f".local/housing/{run_id}/artifacts/note.txt"
    artifact.parent.mkdir(parents=True)
    artifact.write_text("noted")
    store.set_terminated(run_id)
    assert bring_up(repo) == Change(0, 0, 1)
    assert client(repo).get_run(run_id).info.artifact_uri == own

    (folder,) = import_into(repo, uri)
    assert bring_up(repo) == Change(1, 0, 2)
    moved = client(repo).get_run(run_id).info.artifact_uri
    assert moved == layout.artifact_uri(folder.parent, run_id, "artifacts")
    assert (folder / "artifacts" / "note.txt").read_text("utf-8") == "noted"
    assert import_into(repo, uri) == []


def test_a_model_whose_files_were_deleted_is_still_shown(repo: Workspace) -> None:
    kept = model_id()
    deleted = model_id()
    models = {
        kept: {"model.onnx": b"x"},
        deleted: {"model.onnx": b"y"},
        model_id(): {},
    }
    run = add_run(repo.mlruns, models=models)
    folder = folder_of(repo, run)
    shutil.rmtree(folder / "models" / deleted)
    bring_up(repo)
    store = client(repo)
    shown = store.get_run(run.run_id)
    assert len(shown.outputs.model_outputs) == 3
    assert store.get_logged_model(deleted).name == "model"


def champion_of(repo: Workspace) -> ModelVersion:
    return client(repo).get_model_version_by_alias("housing", "champion")


def test_the_registry_agrees_with_the_promotions(repo: Workspace) -> None:
    first = add_model_run(repo, b"x")
    second = add_model_run(repo, b"y")
    promote(repo, first)
    promote(repo, second)
    bring_up(repo)
    champion = champion_of(repo)
    assert champion.version == 2
    assert champion.run_id == second.run_id
    assert champion.source == f"models:/{second.models[0].model_id}"
    assert champion.tags["decided_by"] == "gate"
    uri = client(repo).get_model_version_download_uri("housing", "1")
    replaced = first.models[0].model_id
    assert uri.endswith(f"{first.run_id}/models/{replaced}")


def test_a_deleted_promotion_leaves_the_registry_and_a_model_of_mine_stays(
    repo: Workspace,
) -> None:
    promote(repo, add_model_run(repo))
    promote(repo, add_model_run(repo))
    bring_up(repo)
    client(repo).create_registered_model("mine")
    registry.path_of(repo.mlruns, "housing", 2).unlink()
    bring_up(repo)
    assert champion_of(repo).version == 1
    shutil.rmtree(repo.mlruns / "registry")
    bring_up(repo)
    (model,) = client(repo).search_registered_models()
    assert model.name == "mine"


def test_a_damaged_file_stops_the_build_and_changes_nothing(repo: Workspace) -> None:
    add_run(repo.mlruns)
    bring_up(repo)
    before = dump(repo)
    add_run(repo.mlruns)
    bad = add_run(repo.mlruns)
    path = folder_of(repo, bad) / "run.json"
    text = path.read_text("utf-8")
    path.write_text(text[:100])
    with pytest.raises(PipelineError, match="not whole JSON"):
        bring_up(repo)
    assert dump(repo) == before
    os.remove(path_of(repo))
    with pytest.raises(PipelineError, match="not whole JSON"):
        bring_up(repo)
    names = {path.name for path in repo.build.iterdir()}
    assert names <= {"mlflow.db.lock"}


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
    run = add_model_run(repo)
    for _ in range(3):
        promote(repo, run)
    registry.path_of(repo.mlruns, "housing", 2).unlink()
    with pytest.raises(PipelineError, match="version 2 is missing"):
        bring_up(repo)


def require_unchanged(repo: Workspace, message: str) -> None:
    """Require that a build fails, and leaves the file as it is."""
    before = path_of(repo).read_bytes()
    with pytest.raises(PipelineError, match=message):
        bring_up(repo)
    assert path_of(repo).read_bytes() == before


def test_a_file_that_is_not_a_database_is_not_overwritten(repo: Workspace) -> None:
    repo.build.mkdir()
    path_of(repo).write_bytes(b"no database at all " * 100)
    require_unchanged(repo, "file is not a database")


def test_a_database_of_another_program_is_not_overwritten(repo: Workspace) -> None:
    repo.build.mkdir()
    with closing(sqlite3.connect(path_of(repo))) as connection:
        connection.execute("CREATE TABLE t (a)")
    require_unchanged(repo, "no such table: alembic_version")
