"""Requests to this machine bypass the user's proxy; others do not."""

import ssl
from collections.abc import Iterator
from pathlib import Path
from urllib.error import URLError

import pytest

from scripts import loopback
from scripts.loopback import open_url
from tests.support.certificates import write_certificate
from tests.support.web_servers import Server, serving

NOBODY = "http://127.0.0.1:9"  # a proxy that never answers
PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as server:
        server.answers["/health"] = [(200, b'{"status": "ok"}')]
        yield server


@pytest.fixture(autouse=True)
def no_proxy_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def test_this_machine_is_asked_without_a_proxy(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", NOBODY)
    assert loopback.answers(f"{server.url}/health")
    assert loopback.ask(f"{server.url}/health") == {"status": "ok"}


def test_another_machine_is_asked_through_the_proxy(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.answers["http://example.org/health"] = [(200, b"by the proxy")]
    monkeypatch.setenv("http_proxy", server.url)
    with open_url("http://example.org/health", 5) as answer:
        assert answer.read() == b"by the proxy"


def test_a_service_over_tls_is_asked_whatever_its_certificate_names(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate = write_certificate(tmp_path, "tls", "lab.example.org")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, certificate.with_suffix(".key"))
    server.http.socket = context.wrap_socket(server.http.socket, server_side=True)
    address = server.url.replace("http:", "https:") + "/health"
    assert loopback.ask(address) == {"status": "ok"}
    monkeypatch.setattr(loopback, "is_ours", lambda _: False)
    with pytest.raises(URLError, match="CERTIFICATE_VERIFY_FAILED"):
        open_url(address, 5)
