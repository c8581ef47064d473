"""Logs: one JSON object per line, on stdout and in a file of bounded size."""

import contextlib
import json
import logging
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.observability import access_log
from app.observability.access_log import AccessLog
from tests.conftest import posix
from tests.support.json_content import Json
from tests.unit.app.conftest import MakeSettings

Configure = Callable[..., AccessLog]
LOGGER = logging.getLogger("app.test")
REQUEST = {
    "time": 1.5,
    "level": "INFO",
    "message": "request",
    "status": 200,
}


@pytest.fixture
def configure(settings: MakeSettings) -> Iterator[Configure]:
    """Return a function that configures the logs; pytest's handlers come back after."""
    root = logging.getLogger()
    handlers = root.handlers[:]
    level = root.level
    yield lambda **changes: access_log.configure(settings(**changes))
    root.handlers[:] = handlers
    root.setLevel(level)


def parse(text: str) -> list[Json]:
    return [json.loads(line) for line in text.splitlines()]


def messages(text: str) -> list[str]:
    return [line["message"] for line in parse(text)]


def test_stdout_and_the_file_hold_the_same_json_lines(
    configure: Configure, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    logs = configure()
    LOGGER.info("seen %d", 3, extra={"request_id": "r-1", "place": tmp_path})
    try:
        raise ZeroDivisionError
    except ZeroDivisionError:
        LOGGER.exception("failed")
    logs.close()
    text = (tmp_path / "logs" / "api.log").read_text("utf-8")
    assert capsys.readouterr().out == text
    first, second = parse(text)
    assert first.pop("time") > 1_700_000_000
    assert first == {
        "level": "INFO",
        "logger": "app.test",
        "message": "seen 3",
        "request_id": "r-1",
        "place": str(tmp_path),
    }
    assert "ZeroDivisionError" in second["exception"]


def test_requests_and_records_stand_in_the_order_in_which_they_were_logged(
    configure: Configure, capsys: pytest.CaptureFixture[str]
) -> None:
    logs = configure()
    for number in range(50):
        logs.request(REQUEST | {"message": f"request {number}"})
        LOGGER.info("record %d", number)
    logs.close()
    expected = []
    for number in range(50):
        expected += [f"request {number}", f"record {number}"]
    assert messages(capsys.readouterr().out) == expected


def test_the_line_of_a_request_has_the_fields_that_it_was_given(
    configure: Configure, capsys: pytest.CaptureFixture[str]
) -> None:
    logs = configure()
    logs.request(REQUEST)
    logs.close()
    assert parse(capsys.readouterr().out) == [REQUEST]


def test_uvicorns_colored_copy_of_a_message_is_left_out(
    configure: Configure, capsys: pytest.CaptureFixture[str]
) -> None:
    logs = configure()
    # uvicorn's own logger keeps the settings of a server that another test started.
    LOGGER.info("on", extra={"color_message": "on"})
    logs.close()
    (line,) = parse(capsys.readouterr().out)
    assert set(line) == {"time", "level", "logger", "message"}


def test_levels_below_the_configured_one_are_left_out(
    configure: Configure, capsys: pytest.CaptureFixture[str]
) -> None:
    logs = configure(log_level="WARNING")
    LOGGER.info("not this")
    LOGGER.warning("this")
    logs.request(REQUEST)
    logs.close()
    assert messages(capsys.readouterr().out) == ["this"]


def test_the_file_is_rotated_and_the_newest_backups_are_kept(
    configure: Configure, tmp_path: Path
) -> None:
    for number in range(5):
        logs = configure(log_file_bytes=1000, log_file_backups=2)
        logs.request({"message": str(number), "filler": "x" * 900})
        logs.close()
    files = sorted((tmp_path / "logs").glob("api*"), reverse=True)
    assert [path.name for path in files] == ["api.log.2", "api.log.1", "api.log"]
    numbers = []
    for path in files:
        numbers += messages(path.read_text("utf-8"))
    assert numbers == ["2", "3", "4"]


def test_a_file_that_cannot_be_rotated_is_continued(
    configure: Configure,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def refuse(*paths: str) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("os.rename", refuse)
    logs = configure(log_file_bytes=1000, log_file_backups=2)
    for number in range(3):
        logs.request({"message": str(number), "filler": "x" * 900})
        time.sleep(2 * access_log.SECONDS)  # a batch of its own
    logs.close()
    written = (tmp_path / "logs" / "api.log").read_text("utf-8")
    assert messages(written) == ["0", "1", "2"]
    assert "log file: Permission denied" in messages(capsys.readouterr().out)


@posix
def test_a_full_disk_below_stdout_and_the_file_ends_nothing(
    configure: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = open("/dev/full", "w", encoding="utf-8")
    monkeypatch.setattr("sys.stdout", full)
    logs = configure(log_file=Path("/dev/full"))
    for number in range(3):
        logs.request({"message": str(number)})
        time.sleep(2 * access_log.SECONDS)
    listener = logs._listener._thread
    assert listener is not None
    assert listener.is_alive()
    logs.close()
    with contextlib.suppress(OSError):  # what is left in its buffer
        full.close()


def test_lines_for_which_there_is_no_room_are_dropped(
    configure: Configure,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(access_log, "LIMIT", 3)
    logs = configure()
    for number in range(100):
        logs.request({"message": str(number)})
    logs.close()
    written = messages(capsys.readouterr().out)
    assert written[:3] == ["0", "1", "2"]
    assert len(written) < 10


@posix
def test_a_full_disk_is_reported_on_stdout_and_ends_nothing(
    configure: Configure, capsys: pytest.CaptureFixture[str]
) -> None:
    logs = configure(log_file=Path("/dev/full"))
    LOGGER.info("one")
    logs.close()
    line, error = parse(capsys.readouterr().out)
    assert line["message"] == "one"
    assert error == {"level": "ERROR", "message": "log file: No space left on device"}


@posix
def test_a_broken_stdout_does_not_end_the_file(
    configure: Configure, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = open("/dev/full", "w", encoding="utf-8")
    monkeypatch.setattr("sys.stdout", full)
    logs = configure()
    LOGGER.info("one")
    logs.close()
    with pytest.raises(OSError, match="No space left"):
        full.close()
    text = (tmp_path / "logs" / "api.log").read_text("utf-8")
    assert messages(text) == ["one"]


def test_text_that_is_not_valid_unicode_is_escaped(
    configure: Configure, capsys: pytest.CaptureFixture[str]
) -> None:
    logs = configure()
    LOGGER.info("odd", extra={"folder": "\udcff"})
    logs.request({"message": "request", "path": "/\udcff"})
    logs.close()
    record, request = parse(capsys.readouterr().out)
    assert record["folder"] == "\udcff"
    assert request["path"] == "/\udcff"
