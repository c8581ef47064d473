"""The aliases and stages that MLflow shows: they follow from the files."""

from pathlib import Path

import pytest
from mlflow import MlflowClient

from history import layout, not_imported
from history.mlflow_source import connect
from history.runfile import Run
from tests.support.built_database import bring_up
from tests.support.built_database import client as client_of
from tests.support.built_database import path_of
from tests.support.history_factories import (
    DAY_MS,
    STARTED,
    Workspace,
    add_run,
    model_id,
    new_workspace,
    promote,
    verify,
)


@pytest.fixture
def repo(tmp_path: Path) -> Workspace:
    """A history with three promotions."""
    repo = new_workspace(tmp_path / "clone")
    for _ in range(3):
        models = {model_id(): {"model.onnx": b"m"}}
        promote(repo, add_run(repo.mlruns, models=models))
    return repo


def push(
    repo: Workspace,
    day: int,
    gate: str = "refused",
    reason: str = "no better",
) -> Run:
    """Add the runs of a push and return that of its challenger."""
    started = STARTED + day * DAY_MS
    parent = add_run(
        repo.mlruns,
        params={"challenger": "ridge"},
        tags={"gate": gate, "gate.reason": reason},
        started=started,
        ended=started + 1,
    )
    runs = {}
    for name in ("dummy", "ridge"):
        runs[name] = add_run(
            repo.mlruns,
            params={"algorithm": name},
            parent=parent.run_id,
            started=started,
            ended=started + 1,
        )
    return runs["ridge"]


def build_anew(repo: Workspace) -> MlflowClient:
    """Build the database, and return MLflow's client of it."""
    bring_up(repo)
    return client_of(repo)


def stages(client: MlflowClient) -> dict[int, tuple[str, str]]:
    """Return the tag `stage` and the stage of each version."""
    versions = {}
    for entry in client.search_model_versions("name = 'housing'"):
        number = int(entry.version)
        versions[number] = (entry.tags["stage"], entry.current_stage)
    return versions


def test_the_champion_is_in_production_and_what_it_replaced_is_archived(
    repo: Workspace,
) -> None:
    client = build_anew(repo)
    archived = ("archived", "Archived")
    assert stages(client) == {
        1: archived,
        2: archived,
        3: ("production", "Production"),
    }
    assert client.get_registered_model("housing").aliases == {"champion": 3}


def test_the_challenger_is_the_last_that_was_refused(repo: Workspace) -> None:
    push(repo, day=1, reason="worse")
    newest = push(repo, day=3)
    push(repo, day=4, gate="promoted")
    client = build_anew(repo)
    challenger = client.get_model_version_by_alias("housing", "challenger")
    assert challenger.version == 0
    assert challenger.run_id == newest.run_id
    assert challenger.description == "no better (its files are not kept)"
    assert stages(client)[0] == ("staging", "Staging")
    assert client.get_registered_model("housing").aliases == {
        "champion": 3,
        "challenger": 0,
    }


def test_the_next_refusal_takes_the_alias_over(repo: Workspace) -> None:
    push(repo, day=1)
    build_anew(repo)
    later = push(repo, day=2)
    client = build_anew(repo)
    challenger = client.get_model_version_by_alias("housing", "challenger")
    assert challenger.run_id == later.run_id


def test_a_run_of_a_notebook_is_not_a_challenger(repo: Workspace) -> None:
    """Only runs in Git count, whatever tags a run in the running server has."""
    client = build_anew(repo)
    experiment = client.get_experiment_by_name("housing").experiment_id
    tags = {"gate": "refused", "gate.reason": ""}
    parent = client.create_run(experiment, tags=tags).info.run_id
    client.log_param(parent, "challenger", "ridge")
    child = client.create_run(experiment, tags={"mlflow.parentRunId": parent})
    client.log_param(child.info.run_id, "algorithm", "ridge")
    client = build_anew(repo)
    assert client.get_registered_model("housing").aliases == {"champion": 3}


def contents(repo: Workspace) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in repo.root.rglob("*.json")}


def test_a_build_does_not_change_the_files(repo: Workspace) -> None:
    push(repo, day=1)
    before = contents(repo)
    uri = f"sqlite:///{path_of(repo).as_posix()}"
    build_anew(repo)
    assert contents(repo) == before
    assert verify(repo) == []
    assert len(layout.run_folders(repo.mlruns)) == 6
    with connect(uri, repo.mlruns) as store:
        assert not_imported.notices(store, repo.mlruns) == []
