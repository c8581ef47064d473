"""The database that is built from a workspace's history."""

from pathlib import Path

from mlflow import MlflowClient

from history import Change, build_database
from tests.support.history_factories import Workspace, query


def bring_up(workspace: Workspace) -> Change:
    """Build the database of a history."""
    return build_database(workspace.mlruns, path_of(workspace))


def path_of(workspace: Workspace) -> Path:
    """Return where the database is built."""
    return workspace.build / "mlflow.db"


def runs_in(workspace: Workspace) -> set[str]:
    """Return the IDs of the runs in the database."""
    rows = query(path_of(workspace), "SELECT run_uuid FROM runs")
    return {run_id for (run_id,) in rows}


def client(workspace: Workspace) -> MlflowClient:
    """Return MLflow's client of the database."""
    uri = f"sqlite:///{path_of(workspace).as_posix()}"
    return MlflowClient(uri, registry_uri=uri)
