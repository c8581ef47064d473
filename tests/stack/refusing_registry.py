"""A registry that accepts no image."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Refusal(BaseHTTPRequestHandler):
    """Answers as a registry that accepts no image."""

    server: "RefusingRegistry"

    def answer(self) -> None:
        if self.path == "/v2/":
            self._send(200, {})
        elif self.command == "HEAD":
            self._send(404, {})
        else:
            error = {"code": "DENIED", "message": self.server.message}
            self._send(403, {"errors": [error]})

    def _send(self, status: int, content: object) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_GET = answer
    do_HEAD = answer
    do_POST = answer
    do_PUT = answer
    do_PATCH = answer

    def log_message(self, *_: object) -> None:
        """Keep the test's output clean."""


class RefusingRegistry(ThreadingHTTPServer):
    """A registry that accepts no image, for the reason that GHCR gives."""

    def __init__(self, message: str) -> None:
        self.message = message
        super().__init__(("127.0.0.1", 0), Refusal)


@contextmanager
def refusing(message: str) -> Iterator[str]:
    """Run a registry that accepts no image; yield its address."""
    server = RefusingRegistry(message)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
