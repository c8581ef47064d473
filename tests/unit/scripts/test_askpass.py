"""Publishing over HTTP with the workflow's token: a real Git server that asks for it."""

import base64
import os
import subprocess
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from pipeline.errors import PipelineError
from pipeline.git import GitError, git
from pipeline.publishing.loop import Change, land
from pipeline.repo import Repo
from scripts.ci.origin import Origin
from tests.conftest import posix

pytestmark = posix
ASKPASS = Path(__file__).parents[3] / "scripts" / "askpass.sh"
TOKEN = "ghs_a-token-for-an-hour"
BASIC = "Basic " + base64.b64encode(f"x-access-token:{TOKEN}".encode()).decode()


class Handler(BaseHTTPRequestHandler):
    """Passes requests with the right token on to `git http-backend`."""

    root = Path()
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.headers.get("Authorization") != BASIC:
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="git"')
            self._end(b"")
            return
        path, _, query = self.path.partition("?")
        told = {"PATH_INFO": path, "QUERY_STRING": query, "REQUEST_METHOD": self.command}
        told |= {"GIT_PROJECT_ROOT": str(self.root), "GIT_HTTP_EXPORT_ALL": "1"}
        told |= {"REMOTE_USER": "token", "CONTENT_TYPE": self.headers.get("Content-Type", "")}
        told |= {"HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", "")}
        command, environment = ["git", "http-backend"], os.environ | told
        done = subprocess.run(command, input=content, env=environment, capture_output=True)
        head, _, body = done.stdout.partition(b"\r\n\r\n")
        fields = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
        self.send_response(int(fields.pop("Status", "200").split()[0]))
        for name, value in fields.items():
            self.send_header(name, value)
        self._end(body)

    do_POST = do_GET

    def _end(self, body: bytes) -> None:
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def remote(origin: Path) -> Iterator[str]:
    """Serve the origin over HTTP; yield its address."""
    handler = type("ForOrigin", (Handler,), {"root": origin.parent})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/{origin.name}"
        server.shutdown()


def note(tip: Repo) -> Change:
    tip.results.mkdir()
    (tip.results / "note").write_text("landed")
    return Change("chore: note\n")


def test_the_token_in_the_environment_is_enough_and_stays_there(
    clone: Callable[..., Repo], origin: Path, remote: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo = clone("mine")
    git(repo.root, "remote", "set-url", "origin", remote)
    with pytest.raises(PipelineError, match="cannot be reached"):
        land(repo, "origin", "main", note)
    monkeypatch.setenv("GIT_ASKPASS", str(ASKPASS))
    monkeypatch.setenv("GITHUB_TOKEN", TOKEN)
    commit, _ = land(repo, "origin", "main", note)
    assert git(origin, "rev-parse", "main") == commit
    kept = [path for path in repo.root.rglob("*") if path.is_file()]
    assert kept and not [path for path in kept if TOKEN.encode() in path.read_bytes()]


def test_the_workflow_s_program_opens_it_where_no_file_can_be_executed(
    clone: Callable[..., Repo], remote: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # So it is in a copy that came out of an archive that was unpacked on Windows.
    plain = tmp_path / "askpass.sh"
    plain.write_bytes(ASKPASS.read_bytes())
    monkeypatch.setattr("scripts.ci.origin.ASKPASS", plain)
    repo, folder = clone("mine"), tmp_path / "keys"
    folder.mkdir()
    git(repo.root, "remote", "set-url", "origin", remote)
    monkeypatch.chdir(repo.root)
    monkeypatch.setenv("GITHUB_TOKEN", TOKEN)
    opened = Origin.read(folder)
    tip = git(repo.root, "rev-parse", "HEAD")
    assert opened.git(repo.root, "ls-remote", "refs/heads/main").split()[0] == tip
    monkeypatch.delenv("GITHUB_TOKEN")
    with pytest.raises(GitError, match="could not read Username"):
        Origin.read(folder).git(repo.root, "ls-remote")
