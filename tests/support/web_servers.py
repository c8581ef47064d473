"""Web servers of the tests' own: one gives files, the other takes what GitHub would be
asked.
"""

import io
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pandas as pd
import pytest

TOKEN = "ghs_0123456789abcdef"


class Server:
    """A server whose answers are the entries of `answers`, by path, one a request."""

    def __init__(self) -> None:
        self.answers: dict[str, list[tuple[int, bytes]]] = {}
        self.asked: list[str] = []
        self.headers: dict[str, str] = {}  # of every answer
        self.missing = 0  # how many bytes of each answer are announced, and never come
        self.pause = 0.0  # seconds before the body of each answer
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                server.asked.append(self.path)
                left = server.answers.get(self.path, [(404, b"")])
                status, content = left.pop(0) if len(left) > 1 else left[0]
                self.send_response(status)
                self.send_header("Content-Length", str(len(content) + server.missing))
                for name, value in server.headers.items():
                    self.send_header(name, value)
                self.end_headers()
                time.sleep(server.pause)
                self.wfile.write(content)

            def log_message(self, format: str, *args: object) -> None:
                """Say nothing."""

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}"
        Thread(target=self.http.serve_forever, args=(0.01,), daemon=True).start()


@contextmanager
def serving() -> Iterator[Server]:
    """Run a server for as long as the block does."""
    made = Server()
    yield made
    made.http.shutdown()
    made.http.server_close()


def read_csv(path: Path) -> pd.DataFrame:
    """Read what the server gives, as a task's `read` does: every value as its text."""
    return pd.read_csv(io.BytesIO(path.read_bytes()), dtype=str, keep_default_na=False)


class GitHub(ThreadingHTTPServer):
    """Answers a POST as told and keeps what it was asked; a GET is answered out of
    `shows`.
    """

    status, answer = 204, b""

    def __init__(self) -> None:
        self.shows: dict[str, Any] = {
            "/repos/someone/mlops": {"default_branch": "trunk"}
        }
        self.asked: list[tuple[str, dict[str, str], Any]] = []
        super().__init__(("127.0.0.1", 0), _GitHubHandler)


class _GitHubHandler(BaseHTTPRequestHandler):
    server: GitHub

    def do_GET(self) -> None:
        shown = self.server.shows.get(self.path)
        self.send_response(404 if shown is None else 200)
        self.end_headers()
        self.wfile.write(json.dumps(shown or {"message": "Not Found"}).encode())

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.asked.append((self.path, dict(self.headers), json.loads(content)))
        self.send_response(self.server.status)
        self.end_headers()
        self.wfile.write(self.server.answer)

    do_PATCH = do_POST

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@contextmanager
def github_api(patch: pytest.MonkeyPatch) -> Iterator[GitHub]:
    """Stand in for GitHub's API, with the environment that a workflow has."""
    with GitHub() as server:
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        patch.setenv("GITHUB_TOKEN", TOKEN)
        patch.setenv("GITHUB_REPOSITORY", "someone/mlops")
        patch.setenv("GITHUB_API_URL", f"http://127.0.0.1:{server.server_port}")
        yield server
        server.shutdown()
