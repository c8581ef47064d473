"""Web pages of others in a real browser: they start nothing, even with the key."""

import http.client
import json
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.support.api_with_worker import api_with_worker
from tests.support.browser import browser_command, in_a_browser
from tests.support.serving import ADMIN_KEY, Api
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.slow, in_a_browser]
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
    """A web site with the page, which passes any other request on to the API.

    The browser sees one server, as in DNS rebinding: the page comes from the attacker's
    server, and the page's requests go to the API under the attacker's name.
    """

    def __init__(self, api: Api) -> None:
        self.report: list[Any] = []
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                page = ATTACK.replace("KEY", ADMIN_KEY)
                page = page.replace("RUN", "0" * 32)
                self._answer(200, page.encode(), "text/html")

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
    running = Site(api)
    threading.Thread(target=running.server.serve_forever, daemon=True).start()
    try:
        yield running
    finally:
        running.server.shutdown()
        running.server.server_close()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """An API with a key, and a worker beside it."""
    with api_with_worker(tmp_path_factory.mktemp("served")) as api:
        yield api


def jobs(api: Api) -> int:
    return len(list(Path(api.environment["API_STATE"]).glob("jobs/*.json")))


def visit(api: Api, host: str, target: str, profile: Path) -> list[Any]:
    """Open the page under a name in a browser, and return the answers to its requests."""
    with site(api) as attacker:
        command = browser_command(
            profile,
            "--host-resolver-rules=MAP *.example 127.0.0.1",
            "--no-proxy-server",
            f"http://{host}:{attacker.port}/?target={target}&query=?wait=0",
        )
        with subprocess.Popen(command, stderr=subprocess.DEVNULL) as browser:
            try:
                wait_until(lambda: attacker.report)
            finally:
                browser.terminate()
        return attacker.report


def test_a_page_of_another_origin_starts_nothing(served: Api, tmp_path: Path) -> None:
    before = jobs(served)
    answers = visit(served, "evil.example", f"http://127.0.0.1:{served.port}", tmp_path)
    assert jobs(served) == before
    # Requests that need a preflight were never sent; the answers to the others can't be
    # read.
    assert len(answers) == 28
    assert set(answers) <= {"failed", "opaque"}


def test_a_page_of_another_port_of_this_machine_starts_nothing(
    served: Api, tmp_path: Path
) -> None:
    before = jobs(served)
    answers = visit(served, "127.0.0.1", f"http://127.0.0.1:{served.port}", tmp_path)
    assert jobs(served) == before
    assert len(answers) == 28
    assert set(answers) <= {"failed", "opaque"}


def test_a_page_whose_name_was_made_to_lead_to_the_api_starts_nothing(
    served: Api, tmp_path: Path
) -> None:
    before = jobs(served)
    answers = visit(served, "evil.example", "", tmp_path)
    assert jobs(served) == before
    assert len(answers) == 28
    assert set(answers) == {403}


def test_a_page_of_the_apis_own_that_has_the_key_does(
    served: Api, tmp_path: Path
) -> None:
    """The same page under a name of this machine: it could start what is refused above."""
    before = jobs(served)
    answers = visit(served, "localhost", "", tmp_path)
    assert jobs(served) > before
    assert 202 in answers
