"""How long a download is tried, against a real server that answers in many ways."""

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from pipeline.data import download as module
from pipeline.data.download import Failed, download
from tests.support.web_servers import Server, serving

CONTENT = b"rows" * 1000
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as made:
        yield made


@pytest.mark.parametrize("status", [403, 408, 429, 500, 502, 503, 504])
def test_a_passing_refusal_is_tried_again(
    server: Server, tmp_path: Path, waits: list[float], status: int
) -> None:
    server.answers["/f"] = [(status, b""), (status, b"wait"), (200, CONTENT)]
    download(f"{server.url}/f", tmp_path / "f", SHA256)
    assert (tmp_path / "f").read_bytes() == CONTENT
    assert waits == [2, 4]


@pytest.mark.parametrize("status", [400, 401, 404, 410])
def test_a_lasting_refusal_is_not(
    server: Server, tmp_path: Path, waits: list[float], status: int
) -> None:
    server.answers["/f"] = [(status, b"")]
    with pytest.raises(Failed, match=f"answers {status}"):
        download(f"{server.url}/f", tmp_path / "f", None)
    assert waits == []
    assert len(server.asked) == 1


def test_the_server_says_how_long_to_wait(
    server: Server, tmp_path: Path, waits: list[float]
) -> None:
    server.headers["Retry-After"] = "7"
    server.answers["/f"] = [(429, b""), (200, CONTENT)]
    download(f"{server.url}/f", tmp_path / "f", SHA256)
    server.headers["Retry-After"] = format_datetime(
        datetime.now(UTC) - timedelta(minutes=1)
    )
    server.answers["/f"] = [(429, b""), (200, CONTENT)]
    download(f"{server.url}/f", tmp_path / "f", SHA256)
    server.headers["Retry-After"] = "soon"
    server.answers["/f"] = [(503, b""), (200, CONTENT)]
    download(f"{server.url}/f", tmp_path / "f", SHA256)
    assert waits == [7, 0, 2]


def test_a_server_that_asks_for_an_hour_is_passed_over(
    server: Server, tmp_path: Path, waits: list[float]
) -> None:
    server.headers["Retry-After"] = "3600"
    server.answers["/f"] = [(429, b""), (200, CONTENT)]
    with pytest.raises(Failed, match="answers 429"):
        download(f"{server.url}/f", tmp_path / "f", SHA256)
    assert waits == []


def test_another_file_and_half_a_file_are_not_taken(
    server: Server, tmp_path: Path, waits: list[float]
) -> None:
    server.answers["/f"] = [(200, b"<html>"), (200, CONTENT)]
    download(f"{server.url}/f", tmp_path / "f", SHA256)
    server.answers["/f"] = [(200, b"<html>")]
    with pytest.raises(Failed, match="sends a file with another hash"):
        download(f"{server.url}/f", tmp_path / "f", SHA256)
    server.answers["/f"] = [(200, CONTENT)]
    server.missing = 100
    with pytest.raises(Failed, match="sends only a part of the file"):
        download(f"{server.url}/f", tmp_path / "f", None)


def test_a_silent_server_and_a_slow_one_are_left(
    server: Server, tmp_path: Path, waits: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    server.answers["/f"] = [(200, CONTENT)]
    monkeypatch.setattr(module, "TOTAL_SECONDS", -1)
    with pytest.raises(Failed, match="has not sent the file in"):
        download(f"{server.url}/f", tmp_path / "f", None)
    monkeypatch.setattr(module, "SILENCE_SECONDS", 0.05)
    server.pause = 0.5
    with pytest.raises(Failed, match="is silent for 0.05 s"):
        download(f"{server.url}/f", tmp_path / "f", None)


@pytest.mark.parametrize("address, again", [("127.0.0.1:9", 2), ("nowhere.invalid", 0)])
def test_nobody_there(
    tmp_path: Path,
    waits: list[float],
    monkeypatch: pytest.MonkeyPatch,
    address: str,
    again: int,
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)  # a proxy would answer in its place
    with pytest.raises(Failed, match="cannot be reached"):
        download(f"http://{address}/f", tmp_path / "f", None)
    assert len(waits) == again


def test_an_address_of_another_kind(tmp_path: Path, waits: list[float]) -> None:
    with pytest.raises(Failed, match=r"cannot be requested \(InvalidSchema\)"):
        download("gopher://127.0.0.1/f", tmp_path / "f", None)
    assert waits == []
