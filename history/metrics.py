"""What the history tells Prometheus, and how the database's agreement with its files
is.

It is read from the database that was just brought up to the files, with the queries of
`metrics.sql`: to read 30,000 files once more would take ten seconds.
"""

import errno
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from prometheus_client import CollectorRegistry, Counter, Gauge, make_wsgi_app
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from core.errors import PipelineError
from history import database

# Windows refuses a port that another program has alone as if it were forbidden.
IN_USE = (
    (errno.EADDRINUSE, errno.EACCES) if sys.platform == "win32" else (errno.EADDRINUSE,)
)
QUERIES = Path(__file__).with_suffix(".sql")
FAMILIES = {
    "model_history_metric": (
        "Metric on the hold-out of the model that a push was judged by"
    ),
    "model_history_champion_metric": "The same of the model in service after the push",
    "model_history_pushed_timestamp_seconds": "When the push was trained",
    "model_history_pushes": "Pushes and promotions by hand in the history",
    "model_history_runs": "Runs in the history",
}


class Exporter(Collector):
    """The metrics of a process that keeps a database up with the history."""

    def __init__(self) -> None:
        self._families: list[GaugeMetricFamily] = []
        self.registry = CollectorRegistry()
        self.registry.register(self)
        about = "When the database was last seen to agree with the files"
        self.looked = Gauge(
            "history_build_last_success_timestamp_seconds",
            about,
            registry=self.registry,
        )
        about = "Attempts to bring the database up to the files that failed"
        self.failures = Counter("history_build_failures", about, registry=self.registry)

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield what `update` has read last."""
        yield from self._families

    def update(self, path: Path) -> None:
        """Read a database anew; a scrape sees all of it, or all of what was before."""
        families = [GaugeMetricFamily(name, about) for name, about in FAMILIES.items()]
        with closing(database.connect(path)) as connection:
            connection.executescript(QUERIES.read_text(encoding="utf-8"))
            for family in families:
                rows = connection.execute(f"SELECT * FROM {family.name}")
                names = [column for column, *_ in rows.description][:-1]
                for *values, value in rows:
                    family.add_sample(
                        family.name, dict(zip(names, map(str, values))), value
                    )
        self._families = families

    def serve(self, host: str, port: int) -> None:
        """Answer scrapes from now on, in threads of their own.

        Raises:
            PipelineError: the address cannot be had.
        """
        try:
            server = make_server(
                host, port, make_wsgi_app(self.registry), _Server, _Quiet
            )
        except OSError as error:
            reason = (
                "is in use"
                if error.errno in IN_USE
                else f"cannot be had ({error.strerror})"
            )
            message = (
                f"the port {port} at {host} {reason}: name another --metrics-port."
            )
            raise PipelineError(message) from error
        threading.Thread(target=server.serve_forever, daemon=True).start()


class _Server(ThreadingMixIn, WSGIServer):
    """A server that has its port alone: on Windows SO_REUSEADDR would share it without
    a word.
    """

    daemon_threads = True
    allow_reuse_address = sys.platform != "win32"

    def server_bind(self) -> None:
        """Take the port."""
        if sys.platform == "win32":
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        super().server_bind()


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Say nothing of a scrape."""
