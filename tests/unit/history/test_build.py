"""The database follows the files, whole, and keeps what is not the history's."""

import os
import shutil
import sqlite3
from pathlib import Path

import pytest

from core.errors import PipelineError
from history import build, layout, registry
from history.build import Change
from tests.support.built_database import bring_up, client, path_of, runs_in
from tests.support.history_factories import (
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
    connection = sqlite3.connect(path_of(repo))
    lines = [line for line in connection.iterdump() if "sqlite_stat" not in line]
    connection.close()
    return sorted(lines)


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
