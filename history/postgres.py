"""MLflow's database in PostgreSQL, which several MLflow servers and users share.

The statements are those of SQLite; only parameters and one function are written in
another way. MLflow itself creates the tables. psycopg is imported when it is needed.
"""

import importlib.metadata
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from core.errors import PipelineError
from history import database
from history.layout import HISTORY_URI
from history.postgres_address import Address, parse

if TYPE_CHECKING:
    import psycopg

LOCK = int.from_bytes(b"mlflow-h")  # the number of the lock that a build holds
ENCODING = "UTF8"
PARAMETER = re.compile(r":([a-z]\w*)")
IN_HISTORY = re.compile(r"in_history\(([\w.]+)\)")
# A statement that only inserts its values.
PLAIN_INSERT = re.compile(
    r"INSERT INTO (\w+) \(([\w,\s]+)\)\s+VALUES \(((?::[a-z]\w*(?:,\s+)?)+)\)"
)
# The tables that MLflow creates before it numbers its schema.
FIRST_TABLES = {"experiments", "runs"}
TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()"
# MLflow takes the ID of a new experiment from the sequence, the history chooses its own.
MOVE_SEQUENCE = """
SELECT setval(sequence, highest)
FROM (
  SELECT pg_get_serial_sequence('experiments', 'experiment_id') AS sequence,
         max(experiment_id) AS highest
  FROM experiments
) AS experiment_ids
WHERE highest > coalesce(pg_sequence_last_value(sequence::regclass), 0)
"""


class Connection:
    """A connection that takes the statements of SQLite; see `database.Connection`."""

    def __init__(self, connection: "psycopg.Connection[Any]") -> None:
        self._connection = connection

    def execute(
        self, statement: str, values: Mapping[str, Any] | None = None, /
    ) -> Any:
        """Execute a statement and return its cursor."""
        return self._connection.cursor().execute(translated(statement), values)

    def executemany(self, statement: str, rows: Iterable[Mapping[str, Any]], /) -> Any:
        """Execute a statement once for each row, which holds its values by name.

        A statement that only inserts its values is a COPY, which takes a third of the
        time.
        """
        cursor = self._connection.cursor()
        plain = PLAIN_INSERT.fullmatch(statement)
        if plain is None:
            cursor.executemany(translated(statement), rows)
            return cursor
        table, columns, parameters = plain.groups()
        names = PARAMETER.findall(parameters)
        with cursor.copy(f"COPY {table} ({columns}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row([row[name] for name in names])
        return cursor

    def move_sequence(self) -> None:
        """Let MLflow number new experiments after those that are there."""
        self._connection.execute(MOVE_SEQUENCE)

    def analyze(self) -> None:
        """Gather statistics, without which a page of runs sorted by a metric is slow."""
        self._connection.execute("ANALYZE")


def translated(statement: str) -> str:
    """Return a statement of SQLite as psycopg takes it."""
    statement = IN_HISTORY.sub(_in_history, statement)
    return PARAMETER.sub(r"%(\1)s", statement)


def _in_history(call: re.Match[str]) -> str:
    return f"({call[1]} ~ '^{HISTORY_URI.pattern}')"


@contextmanager
def writing(text: str) -> Iterator[Connection]:
    """Open a database for one build, which is one transaction.

    Another build waits. An empty database gets MLflow's tables.

    Args:
        text: the address of the database.

    Raises:
        UsageError: it is not an address.
        PipelineError: the database does not answer, cannot be written, or is not one of
            this version of MLflow.
    """
    address = parse(text)
    with _connected(address) as connection:
        # The lock is of no use to a transaction that sees the state before it waited.
        connection.execute("SET TRANSACTION ISOLATION LEVEL READ COMMITTED")
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (LOCK,))
        _require_schema(connection, address)
        yield Connection(connection)


@contextmanager
def reading(text: str) -> Iterator[Connection]:
    """Open a database that a build has written; see `writing` for the errors."""
    with _connected(parse(text)) as connection:
        yield Connection(connection)


@contextmanager
def _connected(address: Address) -> Iterator["psycopg.Connection[Any]"]:
    """Open a connection whose transaction is committed at the end of the block."""
    try:
        import psycopg
        from psycopg.types.string import StrDumper
    except ImportError as error:
        raise PipelineError(
            f"{address.name}: needs the Python package psycopg, which is not installed:"
            ' pip install "psycopg[binary]".'
        ) from error
    arguments = address.arguments | {"client_encoding": ENCODING}
    try:
        with psycopg.connect(**arguments) as connection:
            # Without a type, PostgreSQL would guess one wherever a text is used.
            connection.adapters.register_dumper(str, StrDumper)
            yield connection
    except psycopg.IntegrityError as error:
        raise PipelineError(
            f"the history contradicts itself ({_message(error, address)}): `history"
            " verify` names the file."
        ) from error
    except psycopg.Error as error:
        raise PipelineError(f"{address.name}: {_message(error, address)}.") from error


def _message(error: Exception, address: Address) -> str:
    """Return the message of an error in one line, without the password."""
    text = " ".join(str(error).split()) or type(error).__name__
    if address.password:
        text = text.replace(address.password, "***")
    return text.rstrip(".")


def _require_schema(connection: "psycopg.Connection[Any]", address: Address) -> None:
    """Create MLflow's tables in an empty database, and refuse those of another MLflow.

    A database that others use is not migrated without being asked.
    """
    encoding = connection.info.parameter_status("server_encoding")
    if encoding != ENCODING:
        raise PipelineError(
            f"{address.name}: its encoding is {encoding}, in which MLflow cannot keep"
            f" text: create it with ENCODING '{ENCODING}'."
        )
    tables = {name for (name,) in connection.execute(TABLES)}
    if "alembic_version" not in tables:
        if tables and not FIRST_TABLES <= tables:
            raise PipelineError(
                f"{address.name}: has tables, such as {min(tables)}, and is not a"
                " database of MLflow: name an empty one."
            )
        _create_tables(address)
    row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    revision = row[0] if row else "none"
    if revision != database.revision():
        version = importlib.metadata.version("mlflow")
        raise PipelineError(
            f"{address.name}: its schema is of another version of MLflow (revision"
            f" {revision}) than the installed {version}: install that version, or back the"
            " database up, stop its servers and run `mlflow db upgrade` on it."
        )


def _create_tables(address: Address) -> None:
    variables = {"PGPASSWORD": address.password} if address.password else {}
    reason = database.migrate(address.public, variables)
    if reason:
        if address.password:
            reason = reason.replace(address.password, "***")
        raise PipelineError(
            f"{address.name}: MLflow could not create its tables: {reason.rstrip('.')}."
        )
