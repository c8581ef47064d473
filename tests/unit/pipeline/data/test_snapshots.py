"""The repository's snapshot, and data that are refreshed in spite of it."""

from pathlib import Path

import pandas as pd
import pytest

from core.errors import PipelineError
from pipeline.data import table as tables
from pipeline.data.fetch import fetch
from pipeline.repo import Repo
from tests.support import strategies
from tests.support.web_servers import Server
from tests.unit.pipeline.data.iris_sources import (
    CSV,
    LOCAL,
    TABLE,
    TASK,
    VARIABLE,
    keep,
    serve,
    source,
    task_with,
    unchecked,
    with_bad_row,
)


def test_the_snapshot_comes_first(repo: Repo) -> None:
    keep(repo, TABLE)
    fetched = fetch(task_with(), repo)
    assert fetched.snapshot is False
    assert fetched.origin == "data/iris.csv.gz"


def test_a_snapshot_may_differ_from_the_digest_of_the_task(repo: Repo) -> None:
    grown = strategies.table(TASK, 40)
    keep(repo, grown)
    fetched = fetch(task_with(), repo)
    assert len(fetched.table) == 40
    assert fetched.digest == tables.digest(grown) != TASK.digest


def test_a_snapshot_s_bad_row_is_named(repo: Repo) -> None:
    keep(repo, with_bad_row())
    message = "row 5, column petal_width: the value '99' is not"
    with pytest.raises(PipelineError, match=message):
        fetch(task_with(), repo)


def test_refreshed_data_come_from_the_source_as_it_is_now(
    server: Server, repo: Repo
) -> None:
    keep(repo, TABLE)
    grown = strategies.table(TASK, 40)
    serve(server, tables.to_csv(grown))
    task = task_with(source(server))
    snapshot = fetch(task, repo)
    assert len(snapshot.table) == 30
    fetched = fetch(task, repo, refresh=True)
    pd.testing.assert_frame_equal(fetched.table, grown)
    assert fetched.snapshot is True
    assert fetched.origin == f"{server.url}/iris.csv"
    # A snapshot of it, as `pipeline publish` commits it, is the same table again.
    keep(repo, fetched.table)
    snapshot = fetch(task, repo)
    assert snapshot.digest == fetched.digest
    assert snapshot.digest != TASK.digest


def test_refreshed_data_of_a_folder_are_read_and_not_kept(
    repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    grown = strategies.table(TASK, 40)
    (tmp_path / "iris.csv").write_bytes(tables.to_csv(grown))
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    fetched = fetch(task_with(LOCAL), repo, refresh=True)
    assert len(fetched.table) == 40
    assert fetched.snapshot is False


def test_a_bad_row_of_refreshed_data_is_named(server: Server, repo: Repo) -> None:
    content = tables.to_csv(with_bad_row())
    serve(server, content)
    task = task_with(source(server))
    message = r"iris\.csv: row 5, column petal_width: the value"
    with pytest.raises(PipelineError, match=message):
        fetch(task, repo, refresh=True)


def test_half_a_download_is_not_taken_for_refreshed_data(
    server: Server, repo: Repo, waits: list[float]
) -> None:
    keep(repo, TABLE)
    serve(server, CSV)
    server.missing = 100
    task = task_with(unchecked(server))
    with pytest.raises(PipelineError) as caught:
        fetch(task, repo, refresh=True)
    message = str(caught.value)
    reason = "iris.csv: sends only a part of the file); connect to the network."
    assert message.endswith(reason)
