"""A table from each kind of source; a local server stands for those on the web."""

import re
from pathlib import Path

import pandas as pd
import pytest

from core.errors import PipelineError, Unavailable
from pipeline.data import table as tables
from pipeline.data.fetch import fetch
from pipeline.repo import Repo
from tests.support.web_servers import Server
from tests.unit.pipeline.data.iris_sources import (
    CSV,
    DEAD,
    DIGEST,
    LOCAL,
    TABLE,
    TASK,
    VARIABLE,
    serve,
    source,
    task_with,
    unchecked,
)


def test_a_download_is_checked_and_kept_as_a_snapshot(
    server: Server, repo: Repo
) -> None:
    serve(server, CSV)
    fetched = fetch(task_with(source(server)), repo)
    pd.testing.assert_frame_equal(fetched.table, TABLE)
    assert fetched.snapshot is True
    assert fetched.origin == f"{server.url}/iris.csv"
    assert fetched.digest == TASK.digest


def test_an_error_of_the_server_is_tried_again(
    server: Server, repo: Repo, waits: list[float]
) -> None:
    server.answers["/iris.csv"] = [(500, b""), (200, CSV)]
    fetch(task_with(source(server)), repo)
    assert server.asked == ["/iris.csv", "/iris.csv"]
    assert len(waits) == 1


def test_the_second_source_is_used_when_the_first_is_dead_or_wrong(
    server: Server, repo: Repo, waits: list[float]
) -> None:
    serve(server, CSV + b"\n", "wrong.csv")
    serve(server, CSV, "good.csv")
    wrong = source(server, "wrong.csv")
    good = source(server, "good.csv")
    fetched = fetch(task_with(DEAD, wrong, good), repo)
    assert fetched.origin.endswith("/good.csv")
    assert len(waits) == 4


def test_without_any_source_each_is_named_with_its_reason(
    server: Server,
    repo: Repo,
    monkeypatch: pytest.MonkeyPatch,
    waits: list[float],
) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    serve(server, b"<html>", "wrong.csv")
    task = task_with(
        LOCAL,
        DEAD,
        source(server, "gone.csv"),
        source(server, "wrong.csv"),
    )
    with pytest.raises(Unavailable) as caught:
        fetch(task, repo)
    message = str(caught.value)
    assert message.startswith(
        "iris: no source has its data (MLOPS_TEST_FOLDER is not set; "
    )
    assert "dead.csv: cannot be reached; " in message
    assert "gone.csv: answers 404; " in message
    assert "wrong.csv: sends a file with another hash)" in message
    assert "put a snapshot at data/iris.csv.gz" in message
    assert caught.value.waits_for == (
        "127.0.0.1 (cannot be reached), 127.0.0.1 (answers 404), "
        "127.0.0.1 (sends a file with another hash)"
    )


def test_a_download_with_another_table_is_refused(server: Server, repo: Repo) -> None:
    other = tables.to_csv(TABLE.iloc[1:])
    serve(server, other)
    task = task_with(unchecked(server))
    message = rf"iris.csv: the table's SHA-256 is .*iris\.yaml expects {TASK.digest}"
    with pytest.raises(Unavailable, match=message):
        fetch(task, repo)


def test_a_file_that_cannot_be_parsed_is_named(server: Server, repo: Repo) -> None:
    serve(server, b"")
    task = task_with(unchecked(server))
    message = r"iris\.csv: cannot be read as the data set"
    with pytest.raises(PipelineError, match=message):
        fetch(task, repo)


def test_a_folder_is_read_where_it_lies(
    repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "iris.csv").write_bytes(CSV)
    monkeypatch.setenv(VARIABLE, str(elsewhere))
    fetched = fetch(task_with(LOCAL), repo)
    assert fetched.snapshot is False
    assert fetched.origin == "$MLOPS_TEST_FOLDER/iris.csv"


def test_a_folder_s_file_with_the_wrong_hash_is_refused(
    repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "iris.csv").write_bytes(CSV + b"\n")
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    message = rf"iris\.csv: its SHA-256 is .*, not {DIGEST}"
    with pytest.raises(PipelineError, match=message):
        fetch(task_with(LOCAL), repo)


def test_a_folder_without_the_file_gives_way_to_the_next_source(
    server: Server,
    repo: Repo,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    serve(server, CSV)
    fetched = fetch(task_with(LOCAL, source(server)), repo)
    assert fetched.snapshot
    message = re.escape(f"{VARIABLE}={tmp_path} has no file iris.csv")
    with pytest.raises(PipelineError, match=message):
        fetch(task_with(LOCAL), repo)
