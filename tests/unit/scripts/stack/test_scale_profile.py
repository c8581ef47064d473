"""The profile `scale`, with which the start script moves MLflow to PostgreSQL and S3."""

import json
from pathlib import Path

import pytest

from scripts import start
from scripts.stack import verify
from scripts.stack.compose import services
from scripts.stack.settings import (
    BUCKET,
    IN_S3,
    POSTGRES,
    STORE,
    Settings,
    StackError,
)
from tests.support.history_factories import add_run
from tests.support.web_servers import serving

DATABASE = "postgresql+psycopg://ann@db.example.org/mlflow"
ENDPOINT = "MLOPS_ARTIFACTS_ENDPOINT"


def settings(*profiles: str, **variables: str) -> Settings:
    return Settings(0, (), profiles, variables)


def test_the_profile_starts_the_stores_and_names_their_addresses() -> None:
    scaled = settings("scale", MLOPS_STORE="")
    environment = scaled.environment()
    assert environment[STORE] == POSTGRES
    assert IN_S3.items() <= environment.items()
    assert {"postgres", "s3"} <= set(services(scaled))


def test_a_database_of_a_team_stays() -> None:
    environment = settings("scale", MLOPS_STORE=DATABASE).environment()
    assert environment[STORE] == DATABASE
    assert IN_S3.items() <= environment.items()


def test_a_bucket_of_a_team_stays_where_it_is() -> None:
    environment = settings("scale", MLOPS_ARTIFACTS="s3://team/runs").environment()
    assert environment[STORE] == POSTGRES
    assert environment[BUCKET] == "s3://team/runs"
    assert ENDPOINT not in environment


def test_without_the_profile_nothing_is_set() -> None:
    environment = settings().environment()
    assert not {STORE, BUCKET, ENDPOINT} & environment.keys()


def test_services_without_containers_use_files() -> None:
    here = settings(MLOPS_STORE=DATABASE, MLOPS_ARTIFACTS="s3://team/runs")
    assert not {STORE, BUCKET} & here.for_local_services().keys()


def test_services_without_a_port_need_none() -> None:
    names = ["mlflow-server", "trainer", "postgres", "s3"]
    assert start.published(names, "docker") == ["mlflow-server"]


def test_the_bucket_must_have_the_files_of_a_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verify, "ROOT", tmp_path)
    scaled = settings("scale")
    assert verify.everything(scaled, ["s3"]) == []
    run = add_run(tmp_path / "mlruns", {"note.txt": b"noted"})
    listed = {"root_uri": "mlflow-artifacts:/a", "files": [{"path": "note.txt"}]}
    with serving() as server:
        port = str(server.http.server_port)
        scaled = settings("scale", MLFLOW_PORT=port)
        path = f"/api/2.0/mlflow/artifacts/list?run_id={run.run_id}"
        server.answers[path] = [(200, json.dumps(listed).encode())]
        (seen,) = verify.everything(scaled, ["postgres", "s3"])
        assert seen.address == "mlflow-artifacts:/a"
        server.answers[path] = [(200, b'{"root_uri": "mlflow-artifacts:/a"}')]
        with pytest.raises(StackError, match=f"no file of the run {run.run_id}"):
            verify.everything(scaled, ["s3"])
        server.answers[path] = [(500, b"")]
        with pytest.raises(StackError, match="^s3 does not answer as it should"):
            verify.everything(scaled, ["s3"])
