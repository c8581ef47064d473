"""The API behind proxies: a path prefix, and `X-Forwarded-*` of those that are trusted."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from app.asgi.proxy import PREFIX, Proxies
from app.main import create_app
from app.settings import Settings
from core.asgi import route_path
from tests.support.problems import problem_of
from tests.support.serving import golden

PEER = "10.0.0.7"
Make = Callable[..., Settings]


@contextmanager
def serving(
    settings: Settings, peer: str = PEER
) -> Iterator[tuple[TestClient, list[Any]]]:
    """Yield a client that asks from an address, and the log's lines."""
    lines: list[Any] = []
    with TestClient(
        create_app(settings, lines.append), client=(peer, 50_000)
    ) as client:
        yield client, lines


@pytest.fixture(params=["stripped", "kept", "told"])
def prefixed(
    request: pytest.FixtureRequest, settings: Make, folder: Path
) -> Iterator[Callable[[str], Any]]:
    """Ask for a path below /ml through a proxy that strips the prefix, keeps it or
    names it.
    """
    how = request.param
    changes = {"trusted_proxies": PEER} if how == "told" else {"root_path": "/ml"}
    headers = {"X-Forwarded-Prefix": "/ml"} if how == "told" else {}
    with serving(settings(**changes)) as (client, _):

        def ask(path: str, json: Any = None) -> Any:
            assert path.startswith("/ml"), "a link that leaves the prefix"
            sent = path if how == "kept" else path.removeprefix("/ml") or "/"
            method = "GET" if json is None else "POST"
            return client.request(method, sent, json=json, headers=headers)

        yield ask


def test_every_page_and_link_stays_below_the_prefix(
    prefixed: Callable[..., Any],
) -> None:
    for page in ("/ml/docs", "/ml/redoc"):
        text = prefixed(page).text
        links = re.findall(
            r"""(?:src|href|spec-url)="(/[^"]*)"|url: '(/[^']*)'""", text
        )
        found = {first or second for first, second in links}
        assert "/ml/openapi.json" in found
        assert len(found) > 1
        assert all(prefixed(link).status_code == 200 for link in found)
    here = prefixed("/ml/").json()
    assert prefixed("/ml").json() == here
    for link in here["look"]:
        assert prefixed(link).status_code == 200
    for task, link in here["predict"].items():
        record = golden("housing" if task == "default" else task)
        assert prefixed(link, json=record).status_code == 200


def test_the_document_names_the_prefix_as_its_server(
    prefixed: Callable[..., Any],
) -> None:
    document = prefixed("/ml/openapi.json").json()
    assert document["servers"] == [{"url": "/ml"}]
    assert "/predict/iris" in document["paths"]


def test_probes_errors_and_the_protocol_know_their_paths(
    prefixed: Callable[..., Any],
) -> None:
    assert prefixed("/ml/health").json()["status"] == "ok"
    assert set(prefixed("/ml/v2/models/none").json()) == {"error"}
    assert problem_of(prefixed("/ml/nothing"))["status"] == 404
    assert 'route="/v2/models/{name}"' in prefixed("/ml/metrics").text
    page = prefixed("/ml/dashboard").text
    assert not re.search(r'(?:href|src)="/|fetch\("/', page)


@pytest.mark.parametrize("page", ["/docs", "/redoc"])
def test_the_documentation_asks_nobody_else(
    shared_client: TestClient, page: str
) -> None:
    answer = shared_client.get(page)
    text = re.sub(r"<!--.*?-->", "", answer.text, flags=re.DOTALL)
    assert not re.search(r"""(?:src|href)=["'](?:https?:)?//""", text)
    policy = dict(
        part.split(" ", 1)
        for part in answer.headers["Content-Security-Policy"].split("; ")
    )
    for kind in ("connect-src", "img-src", "font-src"):
        assert policy[kind].removesuffix(" data:") == "'self'"
    assert "Content-Security-Policy" not in shared_client.get("/models").headers


def test_without_a_prefix_nothing_is_stripped(shared_client: TestClient) -> None:
    assert shared_client.get("/ml/health").status_code == 404
    assert shared_client.get("/openapi.json").json()["servers"] == [{"url": "/"}]


def test_a_prefix_that_begins_like_a_path_is_told_apart(
    settings: Make, folder: Path
) -> None:
    with serving(settings(root_path="/model")) as (client, _):
        assert client.get("/models").status_code == 200
        assert client.get("/model/models").status_code == 200
        assert client.get("/modelsmodels").status_code == 404


HEADERS = {
    "X-Forwarded-For": "203.0.113.9",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "ml.example.org",
    "X-Forwarded-Prefix": "/ml",
}


@pytest.mark.parametrize(
    ("trusted", "believed"),
    [
        ("*", True),
        ("10.0.0.7", True),
        ("127.0.0.1, 10.0.0.0/8", True),
        ("127.0.0.1,::1", False),
        ("none", False),
        ("10.0.1.0/24", False),
    ],
)
def test_headers_are_believed_of_trusted_proxies_alone(
    trusted: str, believed: bool
) -> None:
    scope = applied(
        trusted, *((name.lower(), value) for name, value in HEADERS.items())
    )
    assert scope["client"][0] == ("203.0.113.9" if believed else PEER)
    assert scope["root_path"] == ("/ml" if believed else "")
    assert scope["scheme"] == ("https" if believed else "http")
    assert ((b"host", b"ml.example.org") in scope["headers"]) == believed


@pytest.mark.parametrize(("trusted", "client"), [(PEER, "203.0.113.9"), ("none", PEER)])
def test_the_log_shows_the_client(
    settings: Make, folder: Path, trusted: str, client: str
) -> None:
    with serving(settings(trusted_proxies=trusted)) as (asking, lines):
        asking.get("/health", headers=HEADERS)
    assert lines[0]["client"] == client


def applied(
    trusted: str, *headers: tuple[str, str], peer: str | None = PEER
) -> dict[str, Any]:
    scope: dict[str, Any] = {
        "type": "http",
        "path": "/models",
        "root_path": "",
        "scheme": "http",
        "client": (peer, 1) if peer else None,
        "headers": [
            (b"host", b"inside:8000"),
            *((n.encode(), v.encode()) for n, v in headers),
        ],
    }
    Proxies(trusted).apply(scope)
    return scope


@pytest.mark.parametrize(
    ("told", "client"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("203.0.113.9:4711", "203.0.113.9"),
        ("[2001:db8::1]:4711", "2001:db8::1"),
        ("2001:db8::1", "2001:db8::1"),
        # What a client has sent itself stands first: the proxies have added what they
        # saw.
        ("1.2.3.4, 203.0.113.9", "203.0.113.9"),
        ("1.2.3.4, 203.0.113.9, 10.0.0.8", "203.0.113.9"),
        ("10.0.0.9, 10.0.0.8", "10.0.0.9"),
        ("203.0.113.9, unknown", PEER),
        ("<script>", PEER),
        ("", PEER),
        (" , ", PEER),
    ],
)
def test_the_client_is_the_last_one_that_is_no_proxy_of_ours(
    told: str, client: str
) -> None:
    assert applied("10.0.0.0/8", ("x-forwarded-for", told))["client"][0] == client


def test_several_headers_of_a_name_count_as_one() -> None:
    scope = applied("*", ("x-forwarded-for", "1.2.3.4"), ("x-forwarded-for", "5.6.7.8"))
    assert scope["client"][0] == "1.2.3.4"
    scope = applied("*", ("x-forwarded-prefix", "/a/"), ("x-forwarded-prefix", "/b"))
    assert scope["root_path"] == "/a/b"
    assert route_path(scope) == "/models"


def test_scheme_and_host_are_those_that_the_client_used() -> None:
    told = ("x-forwarded-proto", "HTTPS"), ("x-forwarded-host", "ml.example.org:444")
    scope = applied("*", *told)
    assert scope["scheme"] == "https"
    assert [value for name, value in scope["headers"] if name == b"host"] == [
        b"ml.example.org:444"
    ]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(
            ("prefix", value)
            for value in ("ml", '/"><script>', "//evil.org", "/../x", "/a b")
        ),
        *(("proto", value) for value in ("javascript", "", "ws")),
        *(("host", value) for value in ("a b", "a/b", "evil.org:x", "")),
    ],
)
def test_what_makes_no_sense_is_passed_over(name: str, value: str) -> None:
    plain = applied("*")
    scope = applied("*", (f"x-forwarded-{name}", value))
    assert (scope["root_path"], scope["scheme"]) == (plain["root_path"], "http")
    assert (b"host", b"inside:8000") in scope["headers"]


def test_an_address_of_both_kinds_is_known_and_a_peer_without_one_is_not() -> None:
    told = ("x-forwarded-for", "203.0.113.9")
    assert (
        applied("127.0.0.1", told, peer="::ffff:127.0.0.1")["client"][0]
        == "203.0.113.9"
    )
    assert applied("*", told, peer=None)["client"] is None
    assert applied("*", told, peer="testclient")["client"][0] == "testclient"


@given(st.lists(st.text(st.characters(max_codepoint=255)), max_size=4))
def test_a_prefix_that_is_believed_is_always_a_plain_path(values: list[str]) -> None:
    scope = applied("*", *(("x-forwarded-prefix", value) for value in values))
    assert PREFIX.fullmatch(scope["root_path"])
    assert route_path(scope) == "/models"
