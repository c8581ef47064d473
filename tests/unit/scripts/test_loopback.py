"""Requests to this machine pass by the user's proxy; others do not."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.loopback import is_loopback, open_url, without_proxy
from scripts.stack import verify
from tests.web import Server, serving

ROOT = Path(__file__).parents[3]
NOBODY = "http://127.0.0.1:9"  # a proxy that never answers
PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as made:
        made.answers["/health"] = [(200, b'{"status": "ok"}')]
        yield made


@pytest.fixture(autouse=True)
def no_proxy_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.mark.parametrize(
    ("address", "here"),
    [
        ("http://127.0.0.1:8000/health", True),
        ("http://127.9.9.9", True),
        ("http://localhost:8000", True),
        ("http://api.localhost", True),
        ("http://[::1]:8000/", True),
        ("http://user:word@127.0.0.1/", True),
        ("http://127.0.0.1.example.org/", False),
        ("http://example.org/127.0.0.1", False),
        ("https://10.0.0.1/", False),
        ("http://[::1", False),
        ("no address", False),
    ],
)
def test_what_leads_to_this_machine(address: str, here: bool) -> None:
    assert is_loopback(address) is here


def test_this_machine_is_asked_without_a_proxy(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", NOBODY)
    assert verify.answers(f"{server.url}/health")
    assert verify.ask(f"{server.url}/health") == {"status": "ok"}


def test_another_machine_is_asked_through_the_proxy(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.answers["http://example.org/health"] = [(200, b"by the proxy")]
    monkeypatch.setenv("http_proxy", server.url)
    with open_url("http://example.org/health", 5) as answer:
        assert answer.read() == b"by the proxy"


# What the services' own clients are: they take the proxy from the environment.
CLIENTS = {
    "urllib": "from urllib.request import urlopen; urlopen(URL, timeout=5)",
    "requests": "import requests; requests.get(URL, timeout=5).raise_for_status()",
    "httpx": "import httpx; httpx.get(URL, timeout=5).raise_for_status()",
}


@pytest.mark.parametrize("client", CLIENTS)
def test_a_service_asks_another_one_without_a_proxy(
    client: str, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY"):
        monkeypatch.setenv(name, NOBODY)
    program = CLIENTS[client].replace("URL", repr(f"{server.url}/health"))
    environment = os.environ | without_proxy(os.environ)
    run = [sys.executable, "-c", program]
    done = subprocess.run(run, env=environment, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr


def test_what_the_user_excepts_stays_excepted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", NOBODY)
    own = without_proxy({"NO_PROXY": ".example.org"})
    assert own["no_proxy"] == own["NO_PROXY"] == ".example.org,localhost,127.0.0.1,::1"


def test_without_a_proxy_nothing_is_set() -> None:
    if sys.platform == "linux":  # elsewhere the system may have one in its settings
        assert without_proxy(os.environ) == {}
