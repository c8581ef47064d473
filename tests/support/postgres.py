"""A PostgreSQL server for the tests, from the programs that the system has."""

import os
import secrets
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from scripts.loopback import free_port
from tests.support.waiting import wait_until

# Debian and Ubuntu install the programs of the server outside of the PATH.
FOLDERS = Path("/usr/lib/postgresql")
USER = "ann"
ABSENT = f"PostgreSQL is not installed: `initdb` is neither in the PATH nor in {FOLDERS}/*/bin"


def programs() -> Path | None:
    """Return the folder of the server's programs, or None if it is not installed."""
    initdb = shutil.which("initdb")
    if initdb:
        return Path(initdb).resolve().parent
    folders = sorted(FOLDERS.glob("*/bin/initdb"))
    return folders[-1].parent if folders else None


def database_of(address: str) -> str:
    """Return the name of the database in an address."""
    return address.rpartition("/")[2]


class Server:
    """A running server, in whose databases `USER` may do everything."""

    def __init__(self, port: int, password: str) -> None:
        self.port = port
        self.password = password

    def address(self, database: str, password: str = "") -> str:
        """Return the address of a database, as MLflow and the history take it."""
        secret = password or self.password
        return f"postgresql+psycopg://{USER}:{secret}@127.0.0.1:{self.port}/{database}"

    def query(self, database: str, statement: str) -> list[tuple[Any, ...]]:
        """Execute a statement and return its rows; nothing of it is undone."""
        import psycopg

        uri = self.address(database).replace("+psycopg", "")
        with psycopg.connect(uri, autocommit=True) as connection:
            cursor = connection.execute(statement)  # type: ignore[arg-type]
            return cursor.fetchall() if cursor.description else []

    def is_ready(self) -> bool:
        """Return whether the server takes connections."""
        import psycopg

        try:
            self.query("postgres", "SELECT 1")
        except psycopg.OperationalError:
            return False
        return True

    def create(self, options: str = "") -> str:
        """Create a database and return its name."""
        name = f"db_{secrets.token_hex(4)}"
        self.query("postgres", f"CREATE DATABASE {name} {options}")
        return name


@contextmanager
def running(folder: Path) -> Iterator[Server]:
    """Run a server on a free port of this machine, and remove its files at the end.

    Args:
        folder: that of the programs; see `programs`.
    """
    with tempfile.TemporaryDirectory(prefix="mlops-postgres-") as name:
        data = Path(name) / "data"
        password = secrets.token_hex(8)
        identity = _another_user(data.parent)
        _create_cluster(folder, data, password, identity)
        port = free_port()
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": str(port),
            "unix_socket_directories": "",
            "fsync": "off",
        }
        command = [str(folder / "postgres"), "-D", str(data)]
        for setting, value in settings.items():
            command += ["-c", f"{setting}={value}"]
        with data.with_name("log").open("w") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log, **identity)
        try:
            server = Server(port, password)
            wait_until(server.is_ready)
            yield server
        finally:
            process.send_signal(signal.SIGQUIT)  # its files are not needed any more
            process.wait()


def _create_cluster(
    folder: Path,
    data: Path,
    password: str,
    identity: dict[str, Any],
) -> None:
    """Create the files of a server."""
    secret = data.with_name("password")
    secret.write_text(password)
    command = [
        str(folder / "initdb"),
        f"--pgdata={data}",
        f"--username={USER}",
        f"--pwfile={secret}",
        "--auth=scram-sha-256",
        "--encoding=UTF8",
        "--locale=C",
        "--no-sync",
    ]
    subprocess.run(command, check=True, capture_output=True, **identity)


def _another_user(folder: Path) -> dict[str, Any]:
    """Give a folder to a user for whom the server starts: it refuses the administrator."""
    if os.name == "nt" or os.geteuid() != 0:
        return {}
    name = "nobody"
    shutil.chown(folder, name)
    return {"user": name, "cwd": "/"}
