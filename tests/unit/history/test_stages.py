"""The aliases and stages that MLflow shows of the history, none of which is in a file."""

from pathlib import Path

import pytest
from mlflow import MlflowClient

from history import build, layout, not_imported
from history.mlflow_source import connect
from history.runfile import Run
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
        promote(repo, add_run(repo.mlruns, models={model_id(): {"model.onnx": b"m"}}))
    return repo


def push(
    repo: Workspace, day: int, gate: str = "refused", reason: str = "no better"
) -> Run:
    """Add the runs of a push and return that of its challenger."""
    times = {"started": STARTED + day * DAY_MS, "ended": STARTED + day * DAY_MS + 1}
    tags = {"gate": gate, "gate.reason": reason}
    parent = add_run(repo.mlruns, params={"challenger": "ridge"}, tags=tags, **times)
    runs = [
        add_run(repo.mlruns, params={"algorithm": name}, parent=parent.run_id, **times)
        for name in ("dummy", "ridge")
    ]
    return runs[1]


def shown(repo: Workspace) -> MlflowClient:
    """Restore, and return a client of the database."""
    build.build_database(repo.mlruns, repo.build / "mlflow.db")
    uri = f"sqlite:///{(repo.build / 'mlflow.db').as_posix()}"
    return MlflowClient(uri, registry_uri=uri)


def stages(client: MlflowClient) -> dict[int, tuple[str, str]]:
    found = client.search_model_versions("name = 'housing'")
    return {
        int(entry.version): (entry.tags["stage"], entry.current_stage)
        for entry in found
    }


def test_the_champion_is_in_production_and_what_it_replaced_is_archived(
    repo: Workspace,
) -> None:
    client = shown(repo)
    archived = ("archived", "Archived")
    assert stages(client) == {1: archived, 2: archived, 3: ("production", "Production")}
    assert client.get_registered_model("housing").aliases == {"champion": 3}


def test_the_challenger_is_the_last_that_was_refused(repo: Workspace) -> None:
    push(repo, day=1, reason="worse")
    newest = push(repo, day=3)
    push(repo, day=4, gate="promoted")
    client = shown(repo)
    challenger = client.get_model_version_by_alias("housing", "challenger")
    assert (challenger.version, challenger.run_id) == (0, newest.run_id)
    assert challenger.description == "no better (its files are not kept)"
    assert stages(client)[0] == ("staging", "Staging")
    assert client.get_registered_model("housing").aliases == {
        "champion": 3,
        "challenger": 0,
    }


def test_the_next_refusal_takes_the_alias_over(repo: Workspace) -> None:
    push(repo, day=1)
    shown(repo)
    later = push(repo, day=2)
    challenger = shown(repo).get_model_version_by_alias("housing", "challenger")
    assert challenger.run_id == later.run_id


def test_a_push_of_a_notebook_is_no_challenger(repo: Workspace) -> None:
    """Only what lies in Git counts, whatever tags a run in the running server has."""
    client = shown(repo)
    (experiment,) = (e for e in client.search_experiments() if e.name == "housing")
    run = client.create_run(
        experiment.experiment_id, tags={"gate": "refused", "gate.reason": ""}
    )
    client.log_param(run.info.run_id, "challenger", "ridge")
    nested = client.create_run(
        experiment.experiment_id, tags={"mlflow.parentRunId": run.info.run_id}
    )
    client.log_param(nested.info.run_id, "algorithm", "ridge")
    assert shown(repo).get_registered_model("housing").aliases == {"champion": 3}


def test_the_files_know_nothing_of_it(repo: Workspace) -> None:
    push(repo, day=1)
    before = {path: path.read_bytes() for path in repo.root.rglob("*.json")}
    uri = f"sqlite:///{(repo.build / 'mlflow.db').as_posix()}"
    shown(repo)
    assert {path: path.read_bytes() for path in repo.root.rglob("*.json")} == before
    assert verify(repo) == []
    assert len(layout.run_folders(repo.mlruns)) == 6
    with connect(uri, repo.mlruns) as store:
        assert not_imported.notices(store, repo.mlruns) == []
