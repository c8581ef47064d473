"""What a web page of somebody else can start in a real browser: nothing, even if it has
the key.
"""

import http.client
import json
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.support.serving import Api
from tests.support.waiting import wait_until
from tests.unit.pipeline.worker.service import checkout, running
from tools.screenshots import BROWSERS, QUIET

BROWSER = next(filter(None, map(shutil.which, BROWSERS)), None)
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(BROWSER is None, reason="needs Chromium or a browser like it"),
]
KEY = "a key for the tests"
# Every way in which a page can send something, with and without the key, at every path.
ATTACK = """<!doctype html><body><script>
const asked = new URLSearchParams(location.search), key = "KEY";
const target = asked.get("target"), query = asked.get("query");
const bodies = {"/train": '{"task": "iris", "algorithm": "random_forest"}', "/retrain": "{}",
  "/models/iris/load": '{"version": 1}', "/model/load/RUN": ""};
async function send(path, options) {
  try {
    const answer = await fetch(target + path + query, {method: "POST", ...options});
    return answer.type == "opaque" ? "opaque" : answer.status;
  } catch (error) { return "failed"; }
}
async function attack() {
  const seen = [];
  for (const [path, body] of Object.entries(bodies)) {
    const json = {"Content-Type": "application/json"}, withKey = {"X-API-Key": key};
    const forged = {"X-Forwarded-Host": "127.0.0.1:8000"};
    seen.push(await send(path, {body, headers: {...json, ...withKey}}));
    seen.push(await send(path, {body, headers: {...json, ...withKey, ...forged}}));
    seen.push(await send(path, {body, headers: json}));
    seen.push(await send(path, {headers: withKey}));
    for (const type of ["text/plain", "application/x-www-form-urlencoded"]) {
      seen.push(await send(path, {body, mode: "no-cors", headers: {"Content-Type": type}}));
    }
    seen.push(await send(path, {mode: "no-cors"}));
    navigator.sendBeacon(target + path + query, new Blob([body], {type: "text/plain"}));
    const form = document.createElement("form"), frame = document.createElement("iframe");
    frame.name = form.target = "frame" + seen.length;
    form.method = "POST"; form.enctype = "text/plain"; form.action = target + path + query;
    document.body.append(frame, form);
    await new Promise(done => { frame.onload = done; form.submit(); });
  }
  await fetch("/report", {method: "POST", body: JSON.stringify(seen)});
}
attack();
</script>"""


class Site:
    """A web site that has the page; any other request it passes on to the API, as it
    came.

    The browser sees one server. So it is with DNS rebinding: the page comes from the
    attacker's server, and what the page then asks goes to the API, under the attacker's
    name.
    """

    def __init__(self, api: Api) -> None:
        self.report: list[Any] = []
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                page = ATTACK.replace("KEY", KEY).replace("RUN", "0" * 32).encode()
                self._answer(200, page, "text/html")

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                if self.path == "/report":
                    site.report = json.loads(body)
                    self._answer(200, b"", "text/plain")
                    return
                connection = http.client.HTTPConnection(
                    "127.0.0.1", api.port, timeout=60
                )
                connection.putrequest(
                    "POST", self.path, skip_host=True, skip_accept_encoding=True
                )
                for name, value in self.headers.items():
                    connection.putheader(name, value)
                connection.endheaders(body)
                answer = connection.getresponse()
                self._answer(answer.status, answer.read(), "application/json")

            def _answer(self, status: int, body: bytes, kind: str) -> None:
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]


@contextmanager
def site(api: Api) -> Iterator[Site]:
    made = Site(api)
    threading.Thread(target=made.server.serve_forever, daemon=True).start()
    try:
        yield made
    finally:
        made.server.shutdown()
        made.server.server_close()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """An API with a key, and a trainer beside it."""
    repo = checkout(tmp_path_factory.mktemp("checkout"))
    with running(repo) as trainer:
        settings = {
            "API_ADMIN_KEY": KEY,
            "API_TRAINER_URL": f"http://127.0.0.1:{trainer.port}",
            "API_STATE": str(trainer.state),
        }
        with Api(tmp_path_factory.mktemp("api"), **settings) as api:
            yield api


def jobs(api: Api) -> int:
    return len(list(Path(api.environment["API_STATE"]).glob("jobs/*.json")))


def visit(api: Api, host: str, target: str, profile: Path) -> list[Any]:
    """Open the page under a name in a browser, and return what its requests were
    answered.
    """
    with site(api) as made:
        address = f"http://{host}:{made.port}/?target={target}&query=?wait=0"
        command = [str(BROWSER), *QUIET, f"--user-data-dir={profile}"]
        command += [
            "--host-resolver-rules=MAP *.example 127.0.0.1",
            "--no-proxy-server",
            address,
        ]
        with subprocess.Popen(command, stderr=subprocess.DEVNULL) as browser:
            try:
                wait_until(lambda: made.report)
            finally:
                browser.terminate()
        return made.report


def test_a_page_of_another_origin_starts_nothing(served: Api, tmp_path: Path) -> None:
    before = jobs(served)
    seen = visit(served, "evil.example", f"http://127.0.0.1:{served.port}", tmp_path)
    assert jobs(served) == before
    # What needs the browser to ask first was never sent; an answer to the rest cannot
    # be read.
    assert len(seen) == 28 and set(seen) <= {"failed", "opaque"}


def test_a_page_of_another_port_of_this_machine_starts_nothing(
    served: Api, tmp_path: Path
) -> None:
    before = jobs(served)
    seen = visit(served, "127.0.0.1", f"http://127.0.0.1:{served.port}", tmp_path)
    assert jobs(served) == before
    assert len(seen) == 28 and set(seen) <= {"failed", "opaque"}


def test_a_page_whose_name_was_made_to_lead_to_the_api_starts_nothing(
    served: Api, tmp_path: Path
) -> None:
    before = jobs(served)
    seen = visit(served, "evil.example", "", tmp_path)
    assert jobs(served) == before
    assert len(seen) == 28 and set(seen) == {403}


def test_a_page_of_the_apis_own_that_has_the_key_does(
    served: Api, tmp_path: Path
) -> None:
    """The same page under a name of this machine: what is refused above could have been
    done.
    """
    before = jobs(served)
    seen = visit(served, "localhost", "", tmp_path)
    assert jobs(served) > before and 202 in seen
