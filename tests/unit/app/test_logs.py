"""Logs: a JSON object a line, on stdout and in a file of bounded size."""

import json
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from app.observability import access_log
from app.settings import Settings
from tests.conftest import posix

Configure = Callable[..., access_log.JsonHandler]


@pytest.fixture
def configure(settings: Callable[..., Settings]) -> Iterator[Configure]:
    """Return what configures the logs; pytest's own handlers come back at the end."""
    root, started = logging.getLogger(), []
    before = (root.handlers[:], root.level)

    def start(**changes: object) -> access_log.JsonHandler:
        started.append(access_log.configure(settings(**changes)))
        return started[-1]

    yield start
    for handler in started:
        handler.close()
    root.handlers[:], root.level = before


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_stdout_and_the_file_hold_the_same_json_lines(
    configure: Configure, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    handler = configure()
    log = logging.getLogger("app.test")
    log.info("seen %d", 3, extra={"request_id": "r-1", "place": tmp_path})
    try:
        1 / 0
    except ZeroDivisionError:
        log.exception("failed")
    handler.close()
    text = (tmp_path / "logs" / "api.log").read_text("utf-8")
    assert capsys.readouterr().out == text
    first, second = lines(text)
    assert first.pop("time") > 1_700_000_000
    assert first == {
        **{"level": "INFO", "logger": "app.test", "message": "seen 3"},
        **{"request_id": "r-1", "place": str(tmp_path)},
    }
    assert "ZeroDivisionError" in second["exception"]


def test_a_level_that_is_not_wanted_is_left_out(
    configure: Configure, capsys: pytest.CaptureFixture[str]
) -> None:
    handler = configure(log_level="WARNING")
    logging.getLogger("app.test").info("not this")
    logging.getLogger("app.test").warning("this")
    handler.request({"message": "nor that"})
    handler.close()
    assert [line["message"] for line in lines(capsys.readouterr().out)] == ["this"]


def test_the_file_is_rotated_and_only_so_many_are_kept(
    configure: Configure, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(access_log, "SECONDS", 60)
    handler = configure(log_file_bytes=1000, log_file_backups=2)
    for number in range(5):
        logging.getLogger("app.test").info("%d" % number, extra={"much": "x" * 1000})
        handler._batches._flush()
    handler.close()
    files = sorted(path.name for path in (tmp_path / "logs").glob("api*"))
    assert files == ["api.log", "api.log.1", "api.log.2"]
    kept = "".join(
        (tmp_path / "logs" / name).read_text("utf-8") for name in reversed(files)
    )
    assert [line["message"] for line in lines(kept)] == ["3", "4"]


@posix
def test_a_full_disk_ends_nothing_and_is_said_on_stdout(
    configure: Configure, capsys: pytest.CaptureFixture[str]
) -> None:
    handler = configure(log_file=Path("/dev/full"))
    logging.getLogger("app.test").info("said")
    handler.close()
    said, error = lines(capsys.readouterr().out)
    assert said["message"] == "said"
    assert error == {"level": "ERROR", "message": "log file: No space left on device"}


@posix
def test_a_reader_of_stdout_that_has_gone_does_not_end_the_file(
    configure: Configure, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = open("/dev/full", "w", encoding="utf-8")
    monkeypatch.setattr("sys.stdout", full)
    handler = configure()
    logging.getLogger("app.test").info("one")
    handler.close()
    with pytest.raises(OSError, match="No space left"):
        full.close()
    assert [
        line["message"]
        for line in lines((tmp_path / "logs" / "api.log").read_text("utf-8"))
    ] == ["one"]


def test_what_cannot_be_rendered_loses_its_batch_only(
    configure: Configure, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(access_log, "SECONDS", 60)
    handler = configure()
    logging.getLogger("app.test").info("odd", extra={"folder": "\udcff"})
    handler._batches._flush()
    logging.getLogger("app.test").info("next")
    handler.close()
    assert (
        lines((tmp_path / "logs" / "api.log").read_text("utf-8"))[0]["message"]
        == "next"
    )
