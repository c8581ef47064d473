"""A port of this computer that leads into a container, which has no network.

Each connection is a program in the container, started with `docker exec`: what it reads
and writes is what the connection carries.
"""

import socket
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from socketserver import BaseRequestHandler, ThreadingTCPServer

CARRY = Path(__file__).with_name("carry.py")
SECONDS = 60


@contextmanager
def forwarded(port: int, inside: Sequence[str]) -> Iterator[None]:
    """Carry the connections to a port of this computer, during the block.

    Args:
        port: the port, here and inside.
        inside: the beginning of a command that runs in the container.
    """
    program = ["python", "-I", "-c", CARRY.read_text("utf-8"), str(port)]
    with _Server(port, [*inside, *program]) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()


class _Server(ThreadingTCPServer):
    """Starts a command for each connection."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, port: int, command: Sequence[str]) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.command = command


class _Handler(BaseRequestHandler):
    server: _Server
    request: socket.socket

    def handle(self) -> None:
        """Let the command read from the connection, and write to it."""
        connection = self.request.fileno()
        try:
            subprocess.run(
                self.server.command,
                stdin=connection,
                stdout=connection,
                stderr=subprocess.DEVNULL,
                timeout=SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            pass  # who asked has given up before
