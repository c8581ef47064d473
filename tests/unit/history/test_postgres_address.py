"""Databases in PostgreSQL that cannot be used; no message has the password."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from core.errors import PipelineError, UsageError
from history import build_database, database, postgres
from history.__main__ import app
from history.postgres_address import is_address, parse
from scripts.loopback import free_port
from tests.support.history_factories import Workspace
from tests.support.postgres import Server

REFUSED = {
    "mysql+pymysql://ann:hush@host/db": "is not built into mysql\\+pymysql",
    "postgresql+psycopg2://ann:hush@host/db": "is not built into postgresql\\+psycopg2",
    "postgres://ann:hush@host/db": "is not built into postgres:",
    "sqlite:///mlflow.db": "is not built into sqlite: name a file",
    "postgresql+psycopg://ann:hush@host:no-port/db": "cannot be read",
    "postgresql+psycopg://ann:hu@sh@host/db": "cannot be read",
}
PASSWORDS = st.text(string.printable, min_size=6, max_size=20)


def build(repo: Workspace, address: str) -> Result:
    """Build as a user does."""
    arguments = ["--folder", str(repo.mlruns), "build", "--db", address]
    return CliRunner(env={"COLUMNS": "300"}).invoke(app, arguments)


@pytest.mark.parametrize("address", REFUSED)
def test_another_address_is_refused(repo: Workspace, address: str) -> None:
    with pytest.raises(UsageError, match=REFUSED[address]) as caught:
        build_database(repo.mlruns, address)
    assert "hu" not in str(caught.value)


def test_the_parts_are_those_that_mlflow_takes() -> None:
    address = parse("postgresql://ann:hu%40sh@db:5433/mlflow?sslmode=require")
    assert address.name == "postgresql+psycopg://db:5433/mlflow"
    assert address.public == "postgresql+psycopg://ann@db:5433/mlflow?sslmode=require"
    assert address.password == "hu@sh"
    assert address.arguments == {
        "connect_timeout": 10,
        "sslmode": "require",
        "host": "db",
        "port": 5433,
        "user": "ann",
        "password": "hu@sh",
        "dbname": "mlflow",
    }
    assert "hu@sh" not in repr(address)


def test_a_password_may_be_a_parameter() -> None:
    address = parse("postgresql+psycopg://ann@/db?host=/run/pg&password=hushed")
    assert address.password == "hushed"
    assert "hushed" not in address.public


@given(PASSWORDS)
def test_no_message_has_the_password(password: str) -> None:
    """Whatever it is, and whether or not its special characters are escaped."""
    text = f"postgresql+psycopg://ann:{password}@127.0.0.1:1/db"
    try:
        address = parse(text)
    except UsageError as error:
        assert password not in str(error)
        return
    for shown in (address.name, address.public, repr(address)):
        assert password not in shown


def test_paths_are_not_addresses() -> None:
    assert is_address("postgresql+psycopg://host/db")
    assert is_address("sqlite:///mlflow.db")
    for path in ("mlflow.db", "C:\\mlflow.db", "build/postgresql/mlflow.db", "a:b"):
        assert not is_address(path)


def test_a_server_that_does_not_answer_is_one_sentence(repo: Workspace) -> None:
    pytest.importorskip("psycopg")
    port = free_port()
    address = f"postgresql+psycopg://ann:hush-hush@127.0.0.1:{port}/db"
    with pytest.raises(PipelineError) as caught:
        build_database(repo.mlruns, address)
    message = str(caught.value)
    assert f"postgresql+psycopg://127.0.0.1:{port}/db: connection failed" in message
    assert "hush" not in message
    assert "\n" not in message


def require_refused(repo: Workspace, address: str, *parts: str) -> None:
    """Require that a build fails with a sentence that has some parts, and no secret."""
    pytest.importorskip("psycopg")
    with pytest.raises(PipelineError) as caught:
        build_database(repo.mlruns, address)
    message = str(caught.value)
    for part in parts:
        assert part in message
    assert "\n" not in message
    assert parse(address).password not in message


@pytest.mark.slow
def test_databases_that_cannot_be_used_are_one_sentence_each(
    repo: Workspace, server: Server
) -> None:
    require_refused(
        repo,
        server.address("postgres", password="a-wrong-password"),
        "password authentication failed",
    )
    require_refused(repo, server.address("absent"), 'database "absent" does not exist')
    unfit = server.create("ENCODING 'SQL_ASCII' TEMPLATE template0")
    require_refused(repo, server.address(unfit), "SQL_ASCII", "ENCODING 'UTF8'")
    other = server.create()
    server.query(other, "CREATE TABLE mine (x int)")
    require_refused(repo, server.address(other), "has tables, such as mine")
    server.query(other, "CREATE TABLE alembic_version (version_num text)")
    server.query(other, "INSERT INTO alembic_version VALUES ('ffff')")
    require_refused(
        repo,
        server.address(other),
        "its schema is of another version of MLflow (revision ffff)",
        "`mlflow db upgrade`",
    )


def test_the_command_ends_with_2_if_it_is_used_wrongly(repo: Workspace) -> None:
    result = build(repo, "mysql://ann:hush@host/db")
    assert isinstance(result.exception, UsageError)
    assert result.exception.exit_status == 2


def test_statements_are_translated() -> None:
    statement = "INSERT INTO t (a, b) VALUES (:a, 'models:/' || :model_id)"
    expected = "INSERT INTO t (a, b) VALUES (%(a)s, 'models:/' || %(model_id)s)"
    assert postgres.translated(statement) == expected
    for name in ("stages", "metrics"):
        for statement in database.statements(name):
            assert "in_history" not in postgres.translated(statement)
