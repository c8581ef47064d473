"""A stand-in for GitHub's API: the comments and statuses that the workflow needs."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

from tools.rehearse.act import REPOSITORY, TOKEN

BASE = f"/repos/{REPOSITORY}"


class GitHub(ThreadingHTTPServer):
    """The API of one repository; requests without the workflow's token are refused.

    Attributes:
        comments: the comments of pull requests, as GitHub shows them.
        statuses: the statuses of commits, by commit.
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
        """Return the answer to a request, None if there is no such thing."""
        resource = path.removeprefix(f"{BASE}/")
        kind, _, name = resource.partition("/")
        if method == "POST" and kind == "statuses":
            self.statuses[name] = body
            return body
        if kind == "issues" and name.endswith("/comments"):
            if method == "GET":
                return self.comments
            comment = {
                "id": len(self.comments),
                "user": {"type": "Bot"},
                "body": body["body"],
            }
            self.comments.append(comment)
            return comment
        if method == "PATCH" and name.startswith("comments/"):
            number = int(name.removeprefix("comments/"))
            self.comments[number]["body"] = body["body"]
            return body
        return self.shows.get(path)


class _Handler(BaseHTTPRequestHandler):
    server: GitHub

    def do_GET(self) -> None:
        length = int(self.headers["Content-Length"] or 0)
        content = self.rfile.read(length)
        body = json.loads(content or "null")
        answer = None
        if self.headers["Authorization"] == f"Bearer {TOKEN}":
            path = urlsplit(self.path).path
            answer = self.server.answer(self.command, path, body)
        if answer is None:
            self.send_response(404)
            answer = {}
        else:
            self.send_response(200)
        self.end_headers()
        text = json.dumps(answer)
        self.wfile.write(text.encode())

    do_POST = do_GET
    do_PATCH = do_GET

    def log_message(self, format: str, *args: object) -> None:
        """Print nothing."""


@contextmanager
def github() -> Iterator[GitHub]:
    """Serve the API during the block."""
    with GitHub() as server:
        thread = Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield server
        server.shutdown()
