"""Every way by which data come, over a real local server where they come over the web."""

import dataclasses
import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from core.errors import PipelineError, Unavailable
from pipeline.data import fetch as data
from pipeline.data import table as tables
from pipeline.repo import Repo
from pipeline.schema import Source, Task
from tests.support import strategies
from tests.support.web_servers import Server, read_csv, serving

TASK = strategies.task_of("iris", 30)
TABLE = strategies.table(TASK, 30)
CSV = tables.to_csv(TABLE)
DIGEST = hashlib.sha256(CSV).hexdigest()
VARIABLE = "MLOPS_TEST_FOLDER"


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as made:
        yield made


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    return Repo(tmp_path)


def _task(*sources: Source) -> Task:
    return dataclasses.replace(TASK, sources=sources)


def _fetch(task: Task, repo: Repo, refresh: bool = False) -> data.Dataset:
    return data.fetch(task, repo, refresh)


def test_a_download_is_checked_and_kept_as_a_snapshot(
    server: Server, repo: Repo
) -> None:
    server.answers["/iris.csv"] = [(200, CSV)]
    fetched = _fetch(_task(Source(f"{server.url}/iris.csv", read_csv, DIGEST)), repo)
    pd.testing.assert_frame_equal(fetched.table, TABLE)
    assert fetched.snapshot is True
    assert fetched.origin == f"{server.url}/iris.csv"
    assert fetched.digest == TASK.digest


def test_an_error_of_the_server_is_tried_again(
    server: Server, repo: Repo, waits: list[float]
) -> None:
    server.answers["/iris.csv"] = [(500, b""), (200, CSV)]
    _fetch(_task(Source(f"{server.url}/iris.csv", read_csv, DIGEST)), repo)
    assert server.asked == ["/iris.csv", "/iris.csv"]
    assert len(waits) == 1


def test_the_second_source_is_used_when_the_first_is_dead_or_wrong(
    server: Server, repo: Repo, waits: list[float]
) -> None:
    server.answers |= {"/wrong.csv": [(200, CSV + b"\n")], "/good.csv": [(200, CSV)]}
    dead = Source("http://127.0.0.1:9/dead.csv", read_csv, DIGEST)
    wrong = Source(f"{server.url}/wrong.csv", read_csv, DIGEST)
    fetched = _fetch(
        _task(dead, wrong, Source(f"{server.url}/good.csv", read_csv, DIGEST)), repo
    )
    assert fetched.origin.endswith("/good.csv")
    assert len(waits) == 4


def test_without_any_source_each_is_named_with_its_reason(
    server: Server, repo: Repo, monkeypatch: pytest.MonkeyPatch, waits: list[float]
) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    server.answers["/wrong.csv"] = [(200, b"<html>")]
    task = _task(
        Source(f"${VARIABLE}/iris.csv", read_csv),
        Source("http://127.0.0.1:9/dead.csv", read_csv, DIGEST),
        Source(f"{server.url}/gone.csv", read_csv, DIGEST),
        Source(f"{server.url}/wrong.csv", read_csv, DIGEST),
    )
    with pytest.raises(PipelineError) as caught:
        _fetch(task, repo)
    message = str(caught.value)
    assert message.startswith(
        "iris: no source has its data (MLOPS_TEST_FOLDER is not set; "
    )
    assert "dead.csv: cannot be reached; " in message
    assert "gone.csv: answers 404; " in message
    assert "wrong.csv: sends a file with another hash)" in message
    assert isinstance(caught.value, Unavailable)
    assert (
        caught.value.waits_for
        == "127.0.0.1 (cannot be reached), 127.0.0.1 (answers 404), "
        "127.0.0.1 (sends a file with another hash)"
    )
    assert "put a snapshot at data/iris.csv.gz" in message


def test_a_download_with_another_table_is_refused(server: Server, repo: Repo) -> None:
    server.answers["/iris.csv"] = [(200, tables.to_csv(TABLE.iloc[1:]))]
    words = rf"iris.csv: the table's SHA-256 is .*iris\.yaml expects {TASK.digest}"
    with pytest.raises(Unavailable, match=words):
        _fetch(_task(Source(f"{server.url}/iris.csv", read_csv)), repo)


def test_a_file_that_cannot_be_parsed_is_named(server: Server, repo: Repo) -> None:
    server.answers["/iris.csv"] = [(200, b"")]
    with pytest.raises(
        PipelineError, match=r"iris\.csv: cannot be read as the data set"
    ):
        _fetch(_task(Source(f"{server.url}/iris.csv", read_csv)), repo)


def test_a_folder_is_read_where_it_lies(
    repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "iris.csv").write_bytes(CSV)
    monkeypatch.setenv(VARIABLE, str(tmp_path / "elsewhere"))
    fetched = _fetch(_task(Source(f"${VARIABLE}/iris.csv", read_csv, DIGEST)), repo)
    assert fetched.snapshot is False
    assert fetched.origin == "$MLOPS_TEST_FOLDER/iris.csv"


def test_a_folder_s_file_with_the_wrong_hash_is_refused(
    repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "iris.csv").write_bytes(CSV + b"\n")
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    with pytest.raises(
        PipelineError, match=rf"iris\.csv: its SHA-256 is .*, not {DIGEST}"
    ):
        _fetch(_task(Source(f"${VARIABLE}/iris.csv", read_csv, DIGEST)), repo)


def test_a_folder_without_the_file_gives_way_to_the_next_source(
    server: Server, repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    server.answers["/iris.csv"] = [(200, CSV)]
    download = Source(f"{server.url}/iris.csv", read_csv, DIGEST)
    assert _fetch(
        _task(Source(f"${VARIABLE}/iris.csv", read_csv), download), repo
    ).snapshot
    words = re.escape(f"{VARIABLE}={tmp_path} has no file iris.csv")
    with pytest.raises(PipelineError, match=words):
        _fetch(_task(Source(f"${VARIABLE}/iris.csv", read_csv)), repo)


def test_the_snapshot_comes_first(repo: Repo) -> None:
    tables.write(repo.data / "iris.csv.gz", TABLE)
    fetched = _fetch(_task(), repo)
    assert fetched.snapshot is False
    assert fetched.origin == "data/iris.csv.gz"


def test_a_snapshot_is_right_whatever_the_source_gave_once(repo: Repo) -> None:
    grown = strategies.table(TASK, 40)
    tables.write(repo.data / "iris.csv.gz", grown)
    fetched = _fetch(_task(), repo)
    assert len(fetched.table) == 40
    assert fetched.digest == tables.digest(grown) != TASK.digest


def test_a_snapshot_s_bad_row_is_named(repo: Repo) -> None:
    bad = TABLE.assign(petal_width=TABLE.petal_width.mask(TABLE.index == 4, 99))
    tables.write(repo.data / "iris.csv.gz", bad)
    with pytest.raises(
        PipelineError, match="row 5, column petal_width: the value '99' is not"
    ):
        _fetch(_task(), repo)


def test_refreshed_data_come_from_the_source_as_it_is_now(
    server: Server, repo: Repo
) -> None:
    tables.write(repo.data / "iris.csv.gz", TABLE)
    grown = strategies.table(TASK, 40)
    server.answers["/iris.csv"] = [(200, tables.to_csv(grown))]
    task = _task(Source(f"{server.url}/iris.csv", read_csv, DIGEST))
    assert len(_fetch(task, repo).table) == 30
    fetched = _fetch(task, repo, refresh=True)
    pd.testing.assert_frame_equal(fetched.table, grown)
    assert fetched.snapshot is True
    assert fetched.origin == f"{server.url}/iris.csv"
    # What publish keeps of it is the same table again.
    tables.write(repo.data / "iris.csv.gz", fetched.table)
    assert _fetch(task, repo).digest == fetched.digest != TASK.digest


def test_refreshed_data_of_a_folder_are_read_and_not_kept(
    repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    grown = strategies.table(TASK, 40)
    (tmp_path / "iris.csv").write_bytes(tables.to_csv(grown))
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    fetched = _fetch(
        _task(Source(f"${VARIABLE}/iris.csv", read_csv, DIGEST)), repo, refresh=True
    )
    assert len(fetched.table) == 40
    assert fetched.snapshot is False


def test_a_bad_row_of_refreshed_data_is_named(server: Server, repo: Repo) -> None:
    bad = TABLE.assign(petal_width=TABLE.petal_width.mask(TABLE.index == 4, 99))
    server.answers["/iris.csv"] = [(200, tables.to_csv(bad))]
    with pytest.raises(
        PipelineError, match=r"iris\.csv: row 5, column petal_width: the value"
    ):
        _fetch(
            _task(Source(f"{server.url}/iris.csv", read_csv, DIGEST)),
            repo,
            refresh=True,
        )


def test_half_a_download_is_not_taken_for_refreshed_data(
    server: Server, repo: Repo, waits: list[float]
) -> None:
    tables.write(repo.data / "iris.csv.gz", TABLE)
    server.answers["/iris.csv"] = [(200, CSV)]
    server.missing = 100
    with pytest.raises(PipelineError) as caught:
        _fetch(_task(Source(f"{server.url}/iris.csv", read_csv)), repo, refresh=True)
    words = "iris.csv: sends only a part of the file); connect to the network."
    assert str(caught.value).endswith(words)
