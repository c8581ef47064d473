"""How often a download is tried, with a real server that answers in many ways."""

import hashlib
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from pipeline.data import download as module
from pipeline.data.download import Failed, download
from tests.support.web_servers import Server

CONTENT = b"rows" * 1000
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def address(server: Server) -> str:
    return f"{server.url}/f"


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "file"


@pytest.mark.parametrize("status", [403, 408, 429, 500, 502, 503, 504])
def test_a_passing_refusal_is_tried_again(
    server: Server,
    address: str,
    target: Path,
    waits: list[float],
    status: int,
) -> None:
    server.answers["/f"] = [
        (status, b""),
        (status, b"wait"),
        (200, CONTENT),
    ]
    download(address, target, SHA256)
    assert target.read_bytes() == CONTENT
    assert waits == [2, 4]


@pytest.mark.parametrize("status", [400, 401, 404, 410])
def test_a_lasting_refusal_is_not_tried_again(
    server: Server,
    address: str,
    target: Path,
    waits: list[float],
    status: int,
) -> None:
    server.answers["/f"] = [(status, b"")]
    with pytest.raises(Failed, match=f"answers {status}"):
        download(address, target, None)
    assert waits == []
    assert len(server.asked) == 1


def test_the_server_says_how_long_to_wait(
    server: Server,
    address: str,
    target: Path,
    waits: list[float],
) -> None:
    past = datetime.now(UTC) - timedelta(minutes=1)
    for status, value in (
        (429, "7"),
        (429, format_datetime(past)),
        (503, "soon"),
    ):
        server.headers["Retry-After"] = value
        server.answers["/f"] = [(status, b""), (200, CONTENT)]
        download(address, target, SHA256)
    assert waits == [7, 0, 2]


def test_a_server_that_asks_for_an_hour_is_skipped(
    server: Server,
    address: str,
    target: Path,
    waits: list[float],
) -> None:
    server.headers["Retry-After"] = "3600"
    server.answers["/f"] = [(429, b""), (200, CONTENT)]
    with pytest.raises(Failed, match="answers 429"):
        download(address, target, SHA256)
    assert waits == []


def test_another_file_and_half_a_file_are_refused(
    server: Server,
    address: str,
    target: Path,
    waits: list[float],
) -> None:
    server.answers["/f"] = [(200, b"<html>"), (200, CONTENT)]
    download(address, target, SHA256)
    server.answers["/f"] = [(200, b"<html>")]
    with pytest.raises(Failed, match="sends a file with another hash"):
        download(address, target, SHA256)
    server.answers["/f"] = [(200, CONTENT)]
    server.missing = 100
    with pytest.raises(Failed, match="sends only a part of the file"):
        download(address, target, None)


def test_a_slow_server_is_given_up(
    server: Server,
    address: str,
    target: Path,
    waits: list[float],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server.answers["/f"] = [(200, CONTENT)]
    monkeypatch.setattr(module, "TOTAL_SECONDS", -1)
    with pytest.raises(Failed, match="has not sent the file in"):
        download(address, target, None)


def test_a_silent_server_is_given_up(
    server: Server,
    address: str,
    target: Path,
    waits: list[float],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server.answers["/f"] = [(200, CONTENT)]
    monkeypatch.setattr(module, "SILENCE_SECONDS", 0.05)
    server.pause = 0.5
    with pytest.raises(Failed, match="is silent for 0.05 s"):
        download(address, target, None)


@pytest.mark.parametrize(
    ("host", "again"),
    [
        ("127.0.0.1:9", 2),
        ("nowhere.invalid", 0),
    ],
)
def test_a_host_that_cannot_be_reached(
    target: Path,
    waits: list[float],
    monkeypatch: pytest.MonkeyPatch,
    host: str,
    again: int,
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)  # a proxy would answer in its place
    with pytest.raises(Failed, match="cannot be reached"):
        download(f"http://{host}/f", target, None)
    assert len(waits) == again


def test_an_address_of_another_kind(target: Path, waits: list[float]) -> None:
    with pytest.raises(Failed, match=r"cannot be requested \(InvalidSchema\)"):
        download("gopher://127.0.0.1/f", target, None)
    assert waits == []
