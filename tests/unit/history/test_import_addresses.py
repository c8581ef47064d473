"""Addresses that are not those of a store, and servers that do not answer."""

import socket
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from core.errors import PipelineError, UsageError
from tests.support.history_factories import Workspace, import_into, query

NOT_A_STORE = {
    "sqlite:///text.db": "file is not a database",
    "sqlite:///empty.db": "is not a database of MLflow",
    "sqlite:///other.db": "is not a database of MLflow",
    "sqlite:///none.db": "there is no such file",
    "sqlite://": "there is no such file",
    "": "name a store",
    "postgresql+psycopg2://ann:hush@host/db": "needs the Python package psycopg2",
    "postgresql://ann:hush@host:no-port/db": "is not the address of a store",
    "sqlite+none:///text.db": "plugin",
    "http://[::1": "is not the address of a store",
    "unknown://ann:hush@host": "unsupported URI 'unknown://[*]{3}@host'",
}


@pytest.mark.parametrize("uri", NOT_A_STORE)
def test_another_address_is_one_sentence_and_nothing_is_written(
    repo: Workspace,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    uri: str,
) -> None:
    (tmp_path / "text.db").write_text("x\n")
    (tmp_path / "empty.db").write_text("")
    with closing(sqlite3.connect(tmp_path / "other.db")) as connection:
        connection.execute("CREATE TABLE mine (x)")
    monkeypatch.chdir(tmp_path)
    before = {path.name for path in tmp_path.iterdir()}
    with pytest.raises(PipelineError, match=NOT_A_STORE[uri]) as caught:
        import_into(repo, uri)
    message = str(caught.value)
    assert "hush" not in message
    assert "\n" not in message
    assert {path.name for path in tmp_path.iterdir()} == before
    assert (tmp_path / "text.db").read_text("utf-8") == "x\n"
    assert (tmp_path / "empty.db").stat().st_size == 0
    tables = query(tmp_path / "other.db", "SELECT name FROM sqlite_master")
    assert tables == [("mine",)]


def test_a_missing_store_is_one_sentence(repo: Workspace, tmp_path: Path) -> None:
    database = tmp_path / "none.db"
    with pytest.raises(UsageError, match="there is no such file"):
        import_into(repo, f"sqlite:///{database}")
    assert not database.exists()


def test_a_server_that_does_not_answer_is_one_sentence(
    repo: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR", "0")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_BACKOFF_JITTER", "0")
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        _, port = unused.getsockname()
    uri = f"http://127.0.0.1:{port}"
    with pytest.raises(PipelineError, match=uri):
        import_into(repo, uri)
