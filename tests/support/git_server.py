"""A real Git server over HTTP that can refuse requests, or fail for a moment."""

import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


class Server(BaseHTTPRequestHandler):
    """Serves the repositories of a folder by `git http-backend`.

    Attributes:
        answers: other answers for the next requests, in order, by their purpose: "push"
            or "fetch".
        authorization: the header without which a request is answered with 401; "" for
            none.
        address: the host and the port, without user and password.
    """

    root = Path()
    answers: dict[str, list[tuple[int, bytes]]] = {}
    authorization = ""
    address = ""
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        content = self.rfile.read(length)
        purpose = "push" if "git-receive-pack" in self.path else "fetch"
        answers = self.answers.get(purpose)
        if answers:
            status, body = answers.pop(0)
            self._refuse(status, body)
        elif self.authorization not in ("", self.headers.get("Authorization")):
            self._refuse(401, b"")
        else:
            self._serve(content)

    do_POST = do_GET

    def _refuse(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "text/plain")
        if status == 401:
            self.send_header("WWW-Authenticate", 'Basic realm="git"')
        self.end(body)

    def _serve(self, content: bytes) -> None:
        path, _, query = self.path.partition("?")
        variables = {
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "GIT_HTTP_EXPORT_ALL": "1",
            "GIT_PROJECT_ROOT": str(self.root),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "REMOTE_USER": "me",
            "REQUEST_METHOD": self.command,
        }
        done = subprocess.run(
            ["git", "http-backend"],
            input=content,
            env=os.environ | variables,
            capture_output=True,
        )
        head, _, body = done.stdout.partition(b"\r\n\r\n")
        lines = head.decode().split("\r\n")
        fields = dict(line.split(": ", 1) for line in lines)
        status, *_ = fields.pop("Status", "200").split()
        self.send_response(int(status))
        for name, value in fields.items():
            self.send_header(name, value)
        self.end(body)

    def end(self, body: bytes) -> None:
        """Send the body of an answer, and with it the last of its headers."""
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Print nothing."""


@contextmanager
def serve(
    root: Path, host: str = "127.0.0.1", **attributes: object
) -> Iterator[type[Server]]:
    """Serve a folder's repositories; yield the handler, whose attributes can be set.

    Args:
        host: the address to listen on; containers do not reach the default.
    """
    handler = type("Handler", (Server,), {"root": root, "answers": {}, **attributes})
    with ThreadingHTTPServer((host, 0), handler) as running:
        threading.Thread(
            target=running.serve_forever, args=(0.01,), daemon=True
        ).start()
        handler.address = f"127.0.0.1:{running.server_port}"
        yield handler
        running.shutdown()
