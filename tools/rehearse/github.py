"""A stand-in for GitHub's API: the comments and statuses that the workflow needs."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

from tools.rehearse.act import REPOSITORY, TOKEN

BASE = f"/repos/{REPOSITORY}"


class GitHub(ThreadingHTTPServer):
    """The API of one repository; requests without the workflow's token are refused.

    Attributes:
        comments: the comments of pull requests, as GitHub shows them.
        statuses: by commit, what was said of it.
        shows: further answers, by path.
    """

    def __init__(self) -> None:
        self.comments: list[dict[str, Any]] = []
        self.statuses: dict[str, dict[str, str]] = {}
        self.shows: dict[str, Any] = {}
        super().__init__(("127.0.0.1", 0), _Handler)

    @property
    def address(self) -> str:
        """The value of GITHUB_API_URL."""
        return f"http://127.0.0.1:{self.server_port}"

    def answer(self, method: str, path: str, body: Any) -> Any:
        """Return what a request is answered with, None if there is no such thing."""
        kind, _, name = path.removeprefix(f"{BASE}/").partition("/")
        if method == "POST" and kind == "statuses":
            self.statuses[name] = body
            return body
        if kind == "issues" and name.endswith("/comments"):
            if method == "GET":
                return self.comments
            made = {
                "id": len(self.comments),
                "user": {"type": "Bot"},
                "body": body["body"],
            }
            self.comments.append(made)
            return made
        if method == "PATCH" and name.startswith("comments/"):
            self.comments[int(Path(name).name)]["body"] = body["body"]
            return body
        return self.shows.get(path)


class _Handler(BaseHTTPRequestHandler):
    server: GitHub

    def do_GET(self) -> None:
        content = self.rfile.read(int(self.headers["Content-Length"] or 0))
        answer = None
        if self.headers["Authorization"] == f"Bearer {TOKEN}":
            path = urlsplit(self.path).path
            answer = self.server.answer(
                self.command, path, json.loads(content or "null")
            )
        self.send_response(404 if answer is None else 200)
        self.end_headers()
        self.wfile.write(json.dumps(answer or ([] if answer == [] else {})).encode())

    do_POST = do_PATCH = do_GET

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@contextmanager
def github() -> Iterator[GitHub]:
    """Answer for as long as the block lasts."""
    with GitHub() as server:
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        server.shutdown()
