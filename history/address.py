"""The address of an MLflow store or server, and its errors as one sentence each."""

import os
import sqlite3
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from core.errors import PipelineError, UsageError
from core.redact import redact, redact_address

# Do not wait for minutes for an absent server; no progress bars, no telemetry.
SETTINGS = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_DISABLE_TELEMETRY": "true",
}
FILE_STORE = ("MLFLOW_ALLOW_FILE_STORE", "MLFLOW_TRACKING_URI")
TABLES = {"alembic_version", "experiments", "runs"}
DATABASES = ("sqlite", "postgresql", "mysql", "mssql")
# The packages that import the driver of a store.
OF_STORES = ("mlflow", "sqlalchemy")
LONGEST_REASON = 400  # MLflow's messages may hold a whole traceback


def use_settings() -> None:
    """Set MLflow's variables unless the user has; call it before MLflow is imported."""
    for name, value in SETTINGS.items():
        os.environ.setdefault(name, value)


def is_folder(uri: str) -> bool:
    """Return whether an address is that of a file store."""
    return uri.startswith("file:") or Path(uri).is_dir()


def is_shared_database(uri: str) -> bool:
    """Return whether an address is that of a database, and not of a file of SQLite."""
    backend = _backend(uri)
    return backend in DATABASES and backend != "sqlite"


def _backend(uri: str) -> str:
    scheme, _, _ = uri.partition(":")
    backend, _, _ = scheme.partition("+")
    return backend


@contextmanager
def settings_for(uri: str) -> Iterator[None]:
    """Let MLflow open this file store, and not the one in the working directory."""
    if not is_folder(uri):
        yield
        return
    before = {name: os.environ.get(name) for name in FILE_STORE}
    os.environ.update(MLFLOW_ALLOW_FILE_STORE="true", MLFLOW_TRACKING_URI=uri)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value


def message_of(error: BaseException, uri: str) -> str:
    """Return the message of an error in one line, shortened and without secrets.

    Args:
        uri: the address that was used, which the message may contain.
    """
    # SQLAlchemy adds its query and a link to the error of the driver.
    cause = getattr(error, "orig", None) or error
    message = getattr(cause, "message", "") or str(cause)
    text = str(message) or type(cause).__name__
    text = text.replace(uri, redact_address(uri))
    line = " ".join(text.split())
    return redact(line)[:LONGEST_REASON]


@contextmanager
def one_sentence(uri: str) -> Iterator[None]:
    """Turn the errors of MLflow and its libraries into one that names the store.

    Raises:
        PipelineError: MLflow, its database or its driver raised an error, or a package
            is missing.
    """
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except ImportError as error:
        if _importer(error) in OF_STORES:
            raise PipelineError(
                f"{redact_address(uri)}: needs the Python package {error.name}, which is"
                " not installed: install it, or name an MLflow server that uses this"
                " store."
            ) from error
        raise PipelineError(
            f"the Python package {error.name} is not installed: install the packages of"
            " this program's lock file again."
        ) from error
    except (MlflowException, SQLAlchemyError, sqlite3.Error) as error:
        message = message_of(error, uri)
        raise PipelineError(f"{redact_address(uri)}: {message}") from error


def _importer(error: ImportError) -> str:
    """Return the package whose code asked for the module that is missing."""
    importer = ""
    for frame, _ in traceback.walk_tb(error.__traceback__):
        package, _, _ = str(frame.f_globals["__name__"]).partition(".")
        if package != "importlib":
            importer = package
    return importer


def require_mlflow(uri: str) -> None:
    """Refuse a database or folder that is not MLflow's: MLflow would fill it.

    Raises:
        UsageError: it is not there, or not of MLflow.
    """
    from sqlalchemy import create_engine, inspect
    from sqlalchemy.engine import make_url

    if not uri.strip():
        raise UsageError(
            "name a store: sqlite:///FILE, a folder, or a server's http://HOST:PORT."
        )
    if is_folder(uri):
        _require_file_store(uri)
        return
    if _backend(uri) not in DATABASES:
        return
    url = make_url(uri)
    if url.get_backend_name() == "sqlite":
        file = Path(url.database or "")
        if not file.is_file():
            raise UsageError(f"{redact_address(uri)}: there is no such file.")
    engine = create_engine(url)
    try:
        missing = TABLES - set(inspect(engine).get_table_names())
    finally:
        engine.dispose()
    if missing:
        raise UsageError(
            f"{redact_address(uri)}: is not a database of MLflow (it has no table"
            f" {min(missing)})."
        )


def _require_file_store(uri: str) -> None:
    path = uri
    if uri.startswith("file:"):
        path = url2pathname(urlsplit(uri).path)
    meta_files = Path(path).glob("*/meta.yaml")
    experiments = [file.parent.name for file in meta_files]
    if not any(name.isdigit() for name in experiments):
        raise UsageError(
            f"{uri}: is not a file store of MLflow (it has no folder of an experiment,"
            " such as 0)."
        )
