"""Whether an image can be pulled without a login, from registries such as GHCR."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest

from scripts.images import anonymous
from scripts.images.release import report_hidden
from scripts.stack.settings import StackError


class Ghcr(ThreadingHTTPServer):
    """A registry that gives tokens without a login, valid for the images in `public`."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answers)
        self.public: set[str] = set()
        self.token_status = 200
        self.broken = False

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.server_port}"


class Answers(BaseHTTPRequestHandler):
    server: Ghcr

    def do_GET(self) -> None:
        if self.server.broken:
            self.answer(500)
        elif self.path.startswith("/token"):
            token = "valid" if self.image() in self.server.public else "useless"
            self.answer(self.server.token_status, {"token": token})
        elif self.headers.get("Authorization") == "Bearer valid":
            self.answer(200)
        else:
            self.answer(401 if "Authorization" not in self.headers else 403)

    def image(self) -> str:
        """Return the image that a token is requested for."""
        query = urlsplit(self.path).query
        (scope,) = parse_qs(query)["scope"]
        return scope.removeprefix("repository:").removesuffix(":pull")

    def answer(self, status: int, content: object = None) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        if status == 401:
            name = self.path.removeprefix("/v2/").partition("/manifests/")[0]
            realm = f'realm="http://{self.server.address}/token",service="here"'
            challenge = f'Bearer {realm},scope="repository:{name}:pull"'
            self.send_header("WWW-Authenticate", challenge)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Keep the test's output clean."""


@pytest.fixture
def ghcr() -> Iterator[Ghcr]:
    with Ghcr() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def test_a_public_image_can_be_pulled_and_a_private_one_cannot(ghcr: Ghcr) -> None:
    ghcr.public.add("me/copy/mlops-api")
    assert anonymous.can_pull(f"{ghcr.address}/me/copy/mlops-api", "latest")
    assert not anonymous.can_pull(f"{ghcr.address}/me/copy/mlops-mlflow", "sha256:1")
    ghcr.token_status = 403  # another way to refuse
    assert not anonymous.can_pull(f"{ghcr.address}/me/copy/mlops-api", "latest")


def test_a_registry_in_trouble_says_nothing_of_an_image(ghcr: Ghcr) -> None:
    ghcr.broken = True
    sentence = "does not say whether .*/me/copy/mlops-api is public"
    with pytest.raises(StackError, match=sentence):
        anonymous.can_pull(f"{ghcr.address}/me/copy/mlops-api", "latest")


def test_the_page_of_the_run_names_each_hidden_package(
    ghcr: Ghcr, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    ghcr.public.add("me/copy/mlops-api")
    public = f"{ghcr.address}/me/copy/mlops-api"
    hidden = f"{ghcr.address}/me/copy/mlops-mlflow"
    digests = {public: "sha256:1", hidden: "sha256:1"}
    report_hidden(digests, {"GITHUB_REPOSITORY": "Me/Copy"})
    summary = capsys.readouterr().out
    assert summary == f"`{hidden}` cannot be pulled without a login.\n"


def test_a_registry_in_trouble_does_not_fail_the_release(
    ghcr: Ghcr, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    ghcr.broken = True
    report_hidden({f"{ghcr.address}/me/copy/mlops-api": "sha256:1"}, {})
    assert "does not say whether" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("organization", "kind"),
    [
        (True, "orgs"),
        (False, "users"),
    ],
)
def test_the_settings_of_a_package_are_on_its_owners_page(
    organization: bool, kind: str
) -> None:
    page = anonymous.settings_page(
        "ghcr.io/octo/copy/mlops-api", "Octo/Copy", organization
    )
    package = "packages/container/copy%2Fmlops-api/settings"
    assert page == f"https://github.com/{kind}/Octo/{package}"
