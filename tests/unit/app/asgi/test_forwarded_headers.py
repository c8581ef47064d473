"""`X-Forwarded-*` headers, which only trusted proxies may send."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from app.asgi.proxy import PREFIX, Proxies
from app.main import create_app
from core.asgi import route_path
from tests.unit.app.conftest import MakeSettings

PEER = "10.0.0.7"
HOST = b"inside:8000"
Headers = list[tuple[str, str]]
HEADERS = [
    ("x-forwarded-for", "203.0.113.9"),
    ("x-forwarded-proto", "https"),
    ("x-forwarded-host", "ml.example.org"),
    ("x-forwarded-prefix", "/ml"),
]


def apply(trusted: str, headers: Headers, peer: str | None = PEER) -> dict[str, Any]:
    """Return a request's scope after trusted proxies were taken into account."""
    raw_headers = [(b"host", HOST)]
    for name, value in headers:
        raw_headers.append((name.encode(), value.encode()))
    scope: dict[str, Any] = {
        "type": "http",
        "path": "/models",
        "root_path": "",
        "scheme": "http",
        "client": (peer, 1) if peer else None,
        "headers": raw_headers,
    }
    Proxies(trusted).apply(scope)
    return scope


def hosts(scope: dict[str, Any]) -> list[bytes]:
    return [value for name, value in scope["headers"] if name == b"host"]


@pytest.mark.parametrize("trusted", ["*", "10.0.0.7", "127.0.0.1, 10.0.0.0/8"])
def test_the_headers_of_a_trusted_proxy_are_used(trusted: str) -> None:
    scope = apply(trusted, HEADERS)
    assert scope["client"][0] == "203.0.113.9"
    assert scope["root_path"] == "/ml"
    assert scope["scheme"] == "https"
    assert hosts(scope) == [b"ml.example.org"]


@pytest.mark.parametrize("trusted", ["127.0.0.1,::1", "none", "10.0.1.0/24"])
def test_the_headers_of_other_clients_are_ignored(trusted: str) -> None:
    scope = apply(trusted, HEADERS)
    assert scope["client"][0] == PEER
    assert scope["root_path"] == ""
    assert scope["scheme"] == "http"
    assert hosts(scope) == [HOST]


@pytest.mark.parametrize(
    ("forwarded", "client"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("203.0.113.9:4711", "203.0.113.9"),
        ("[2001:db8::1]:4711", "2001:db8::1"),
        ("2001:db8::1", "2001:db8::1"),
        # A client's own value comes first: each proxy appends an address.
        ("1.2.3.4, 203.0.113.9", "203.0.113.9"),
        ("1.2.3.4, 203.0.113.9, 10.0.0.8", "203.0.113.9"),
        ("10.0.0.9, 10.0.0.8", "10.0.0.9"),
        ("203.0.113.9, unknown", PEER),
        ("<script>", PEER),
        ("", PEER),
        (" , ", PEER),
    ],
)
def test_the_client_is_the_last_address_that_is_not_a_trusted_proxy(
    forwarded: str, client: str
) -> None:
    scope = apply("10.0.0.0/8", [("x-forwarded-for", forwarded)])
    assert scope["client"][0] == client


def test_several_headers_of_a_name_count_as_one() -> None:
    headers = [
        ("x-forwarded-for", "1.2.3.4"),
        ("x-forwarded-for", "5.6.7.8"),
        ("x-forwarded-prefix", "/a/"),
        ("x-forwarded-prefix", "/b"),
    ]
    scope = apply("*", headers)
    assert scope["client"][0] == "1.2.3.4"
    assert scope["root_path"] == "/a/b"
    assert route_path(scope) == "/models"


def test_scheme_and_host_are_those_that_the_client_used() -> None:
    headers = [
        ("x-forwarded-proto", "HTTPS"),
        ("x-forwarded-host", "ml.example.org:444"),
    ]
    scope = apply("*", headers)
    assert scope["scheme"] == "https"
    assert hosts(scope) == [b"ml.example.org:444"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("prefix", "ml"),
        ("prefix", '/"><script>'),
        ("prefix", "//evil.org"),
        ("prefix", "/../x"),
        ("prefix", "/a b"),
        ("proto", "javascript"),
        ("proto", ""),
        ("proto", "ws"),
        ("host", "a b"),
        ("host", "a/b"),
        ("host", "evil.org:x"),
        ("host", ""),
    ],
)
def test_a_value_that_is_not_valid_is_ignored(name: str, value: str) -> None:
    scope = apply("*", [(f"x-forwarded-{name}", value)])
    assert scope["root_path"] == ""
    assert scope["scheme"] == "http"
    assert hosts(scope) == [HOST]


def test_an_ipv4_address_in_the_form_of_ipv6_is_trusted_as_ipv4() -> None:
    scope = apply("127.0.0.1", HEADERS, peer="::ffff:127.0.0.1")
    assert scope["client"][0] == "203.0.113.9"


def test_a_peer_without_an_address_is_not_trusted() -> None:
    of_unix_socket = apply("*", HEADERS, peer=None)
    assert of_unix_socket["client"] is None
    of_test_client = apply("*", HEADERS, peer="testclient")
    assert of_test_client["client"][0] == "testclient"


@given(st.lists(st.text(st.characters(max_codepoint=255)), max_size=4))
def test_a_prefix_from_a_header_is_always_a_plain_path(values: list[str]) -> None:
    headers = [("x-forwarded-prefix", value) for value in values]
    scope = apply("*", headers)
    assert PREFIX.fullmatch(scope["root_path"])
    assert route_path(scope) == "/models"


@pytest.mark.parametrize(
    ("trusted", "client"),
    [
        (PEER, "203.0.113.9"),
        ("none", PEER),
    ],
)
def test_the_log_shows_the_client(
    settings: MakeSettings, folder: Path, trusted: str, client: str
) -> None:
    lines: list[dict[str, Any]] = []
    app = create_app(settings(trusted_proxies=trusted), lines.append)
    with TestClient(app, client=(PEER, 50_000)) as test_client:
        test_client.get("/health", headers=HEADERS)
    assert lines[0]["client"] == client
