"""Web servers of the tests: one answers with files, the other stands for GitHub's API."""

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

from tests.support.json_content import Json

TOKEN = "ghs_0123456789abcdef"


class Server:
    """A server whose answers are the entries of `answers`, by path, one per request.

    Attributes:
        asked: the path of each request.
        sent: the headers of each request.
        headers: additional headers of every answer.
        missing: the number of bytes of each answer that are announced but never sent.
        pause: the seconds before the body of each answer.
    """

    def __init__(self) -> None:
        self.answers: dict[str, list[tuple[int, bytes]]] = {}
        self.asked: list[str] = []
        self.sent: list[dict[str, str]] = []
        self.headers: dict[str, str] = {}
        self.missing = 0
        self.pause = 0.0
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                received = int(self.headers.get("Content-Length", 0))
                self.rfile.read(received)
                server.asked.append(self.path)
                server.sent.append(dict(self.headers))
                status, content = server.next_answer(self.path)
                length = len(content) + server.missing
                self.send_response(status)
                self.send_header("Content-Length", str(length))
                for name, value in server.headers.items():
                    self.send_header(name, value)
                self.end_headers()
                time.sleep(server.pause)
                self.wfile.write(content)

            do_POST = do_GET

            def log_message(self, format: str, *args: object) -> None:
                """Say nothing."""

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}"
        serve_in_background(self.http)

    def next_answer(self, path: str) -> tuple[int, bytes]:
        """Return the status and the body of an answer; the last one stays."""
        left = self.answers.get(path, [(404, b"")])
        if len(left) > 1:
            return left.pop(0)
        return left[0]


def serve_in_background(server: ThreadingHTTPServer) -> None:
    thread = Thread(
        target=server.serve_forever,
        args=(0.01,),
        daemon=True,
    )
    thread.start()


@contextmanager
def serving() -> Iterator[Server]:
    """Run a server for as long as the block does."""
    server = Server()
    yield server
    server.http.shutdown()
    server.http.server_close()


def read_csv(path: Path) -> pd.DataFrame:
    """Read a table as a task's `read` does: every value as its text."""
    content = io.BytesIO(path.read_bytes())
    return pd.read_csv(content, dtype=str, keep_default_na=False)


class GitHub(ThreadingHTTPServer):
    """Answers a POST with `status` and `answer`, and a GET with an entry of `shows`.

    Attributes:
        asked: the path, the headers and the content of each POST.
    """

    status = 204
    answer = b""

    def __init__(self) -> None:
        self.shows: Json = {"/repos/someone/mlops": {"default_branch": "trunk"}}
        self.asked: list[tuple[str, dict[str, str], Any]] = []
        super().__init__(("127.0.0.1", 0), _GitHubHandler)


class _GitHubHandler(BaseHTTPRequestHandler):
    server: GitHub

    def do_GET(self) -> None:
        shown = self.server.shows.get(self.path)
        status = 200
        if shown is None:
            status = 404
            shown = {"message": "Not Found"}
        self.send_response(status)
        self.end_headers()
        self.wfile.write(json.dumps(shown).encode())

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        content = json.loads(self.rfile.read(length))
        self.server.asked.append((self.path, dict(self.headers), content))
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
        serve_in_background(server)
        patch.setenv("GITHUB_TOKEN", TOKEN)
        patch.setenv("GITHUB_REPOSITORY", "someone/mlops")
        patch.setenv("GITHUB_API_URL", f"http://127.0.0.1:{server.server_port}")
        yield server
        server.shutdown()
