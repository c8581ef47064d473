"""Prometheus metrics of the history, and of the process that keeps its database.

They are read from the database that was just built, with the queries of `metrics.sql`:
to read 30,000 files once more would take ten seconds.
"""

import errno
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from prometheus_client import CollectorRegistry, Counter, Gauge, make_wsgi_app
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from core.errors import PipelineError
from history import database, postgres
from history.database import Connection

IN_USE = [errno.EADDRINUSE]
if sys.platform == "win32":  # where another program has a port to itself
    IN_USE.append(errno.EACCES)
FAMILIES = {
    "model_history_metric": (
        "Hold-out metric of the model by which a push was evaluated"
    ),
    "model_history_champion_metric": (
        "Hold-out metric of the model in service after the push"
    ),
    "model_history_pushed_timestamp_seconds": "When the push was trained",
    "model_history_pushes": "Pushes and manual promotions in the history",
    "model_history_runs": "Runs in the history",
}


class Exporter(Collector):
    """The metrics of a process that keeps a database up with the history."""

    def __init__(self) -> None:
        self._families: list[GaugeMetricFamily] = []
        self.registry = CollectorRegistry()
        self.registry.register(self)
        self.last_success = Gauge(
            "history_build_last_success_timestamp_seconds",
            "When the database was last found to agree with the files",
            registry=self.registry,
        )
        self.failures = Counter(
            "history_build_failures",
            "Failed attempts to bring the database up to date with the files",
            registry=self.registry,
        )

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield what `update` read last."""
        yield from self._families

    def update(self, target: Path | str) -> None:
        """Read a database; a scrape sees all of it, or all of the one before."""
        with _opened(target) as connection:
            for statement in database.statements("metrics"):
                connection.execute(statement)
            self._families = [
                _family(connection, name, help_text)
                for name, help_text in FAMILIES.items()
            ]

    def serve(self, host: str, port: int) -> None:
        """Answer scrapes from now on, in threads of their own.

        Raises:
            PipelineError: the address is not available.
        """
        serve(self.registry, host, port)


def serve(registry: CollectorRegistry, host: str, port: int) -> None:
    """Answer scrapes of metrics from now on, in threads of their own.

    Raises:
        PipelineError: the address is not available.
    """
    application = make_wsgi_app(registry)
    try:
        server = make_server(host, port, application, _Server, _QuietHandler)
    except OSError as error:
        reason = f"is not available ({error.strerror})"
        if error.errno in IN_USE:
            reason = "is in use"
        raise PipelineError(
            f"the port {port} at {host} {reason}: name another --metrics-port."
        ) from error
    threading.Thread(target=server.serve_forever, daemon=True).start()


@contextmanager
def _opened(target: Path | str) -> Iterator[Connection]:
    """Open a database that was built: a file, or one in PostgreSQL."""
    if isinstance(target, str):
        with postgres.reading(target) as connection:
            yield connection
        return
    with closing(database.connect(target)) as file:
        yield file


def _family(
    connection: Connection,
    name: str,
    help_text: str,
) -> GaugeMetricFamily:
    """Return the samples of a metric: the rows of the view with its name."""
    family = GaugeMetricFamily(name, help_text)
    rows = connection.execute(f"SELECT * FROM {name}")
    *labels, _ = [column for column, *_ in rows.description]
    for *values, value in rows:
        texts = map(str, values)
        family.add_sample(name, dict(zip(labels, texts)), float(value))
    return family


class _Server(ThreadingMixIn, WSGIServer):
    """A server that does not share its port, which Windows would do silently."""

    daemon_threads = True
    allow_reuse_address = sys.platform != "win32"

    def server_bind(self) -> None:
        """Take the port."""
        if sys.platform == "win32":
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        super().server_bind()


class _QuietHandler(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Do not log scrapes."""
