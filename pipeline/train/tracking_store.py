"""The tracking store of a training: the user's, or one of our own below `build/`."""

import os
from pathlib import Path

from mlflow.entities import Experiment
from mlflow.utils.file_utils import local_file_uri_to_path
from mlflow.utils.uri import is_local_uri

from core.errors import UsageError
from core.files import sha256_bytes
from history.address import DATABASES
from history.build import build_database
from pipeline.repo import Repo

VARIABLE = "MLFLOW_TRACKING_URI"


def address_of(repo: Repo) -> str:
    """Return the address of the store; our own is created if it is missing."""
    address = os.environ.get(VARIABLE)
    if address:
        return address
    # With our copy of its schema: MLflow itself takes seconds to create a store.
    folder = _folder(repo)
    database = folder / "mlflow.db"
    build_database(folder / "no-history", database)
    return f"sqlite:///{database.as_posix()}"


def artifacts_of(repo: Repo, uri: str) -> str | None:
    """Return where a new experiment keeps its artifacts; None if a server decides.

    With a database, MLflow alone would put them into `mlruns/`, which is the history
    here.
    """
    scheme = uri.partition(":")[0]
    dialect = scheme.partition("+")[0]
    if dialect not in DATABASES:
        return None
    folder = _folder(repo) / "artifacts"
    return folder.as_uri()


def require_outside_history(repo: Repo, experiment: Experiment) -> None:
    """Refuse an experiment whose artifacts would land among the history's files.

    Raises:
        UsageError: they would.
    """
    location = str(experiment.artifact_location)
    if not is_local_uri(location):  # type: ignore[no-untyped-call]
        return
    folder = Path(local_file_uri_to_path(location)).resolve()  # type: ignore[no-untyped-call]
    if folder.is_relative_to(repo.mlruns):
        place = folder.relative_to(repo.root).as_posix()
        raise UsageError(
            f"the experiment {experiment.name} of the store in {VARIABLE} keeps its"
            f" artifacts in {place}, inside the history: name another store, or unset"
            " the variable."
        )


def _folder(repo: Repo) -> Path:
    """Return the folder below `build/` for one store.

    A store keeps absolute addresses, so a checkout that was moved gets another folder.
    """
    address = os.environ.get(VARIABLE, "")
    identity = f"{repo.root}{address}"
    digest = sha256_bytes(identity.encode())
    return repo.build / "tracking" / digest[:8]
