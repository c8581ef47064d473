"""Every way by which data come, over a real local server where they come over the web."""

import dataclasses
import hashlib
import io
import re
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pandas as pd
import pytest
from rich.console import Console

from pipeline.data import fetch as data
from pipeline.data import table as tables
from pipeline.errors import PipelineError
from pipeline.repo import Repo
from pipeline.schema import Source, Task
from tests import generated

TASK = generated.task_of("iris", 30)
TABLE = generated.table(TASK, 30)
CSV = tables.to_csv(TABLE)
DIGEST = hashlib.sha256(CSV).hexdigest()
VARIABLE = "MLOPS_TEST_FOLDER"


class Server:
    """A web server whose answers are the entries of `answers`, by path, one a request."""

    def __init__(self) -> None:
        self.answers: dict[str, list[tuple[int, bytes]]] = {}
        self.asked: list[str] = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                server.asked.append(self.path)
                left = server.answers.get(self.path, [(404, b"")])
                status, content = left.pop(0) if len(left) > 1 else left[0]
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, format: str, *args: object) -> None:
                """Say nothing."""

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}"
        Thread(target=self.http.serve_forever, args=(0.01,), daemon=True).start()


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.http.shutdown()
    made.http.server_close()


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    return Repo(tmp_path)


def _read(path: Path) -> pd.DataFrame:
    return pd.read_csv(io.BytesIO(path.read_bytes()), dtype=str, keep_default_na=False)


def _task(*sources: Source) -> Task:
    return dataclasses.replace(TASK, sources=sources)


def _fetch(task: Task, repo: Repo) -> data.Fetched:
    return data.fetch(task, repo, Console(quiet=True))


def test_a_download_is_checked_and_kept_as_a_snapshot(server: Server, repo: Repo) -> None:
    server.answers["/iris.csv"] = [(200, CSV)]
    fetched = _fetch(_task(Source(f"{server.url}/iris.csv", _read, DIGEST)), repo)
    pd.testing.assert_frame_equal(fetched.table, TABLE)
    assert (fetched.snapshot, fetched.origin) == (True, f"{server.url}/iris.csv")
    assert fetched.digest == TASK.digest


def test_an_error_of_the_server_is_tried_again(
    server: Server, repo: Repo, waits: list[float]
) -> None:
    server.answers["/iris.csv"] = [(500, b""), (200, CSV)]
    _fetch(_task(Source(f"{server.url}/iris.csv", _read, DIGEST)), repo)
    assert server.asked == ["/iris.csv", "/iris.csv"] and len(waits) == 1


def test_the_second_source_is_used_when_the_first_is_dead_or_wrong(
    server: Server, repo: Repo, waits: list[float]
) -> None:
    server.answers |= {"/wrong.csv": [(200, CSV + b"\n")], "/good.csv": [(200, CSV)]}
    dead = Source("http://127.0.0.1:9/dead.csv", _read, DIGEST)
    wrong = Source(f"{server.url}/wrong.csv", _read, DIGEST)
    fetched = _fetch(_task(dead, wrong, Source(f"{server.url}/good.csv", _read, DIGEST)), repo)
    assert fetched.origin.endswith("/good.csv") and len(waits) == 2 * data.RETRIES


def test_without_any_source_each_is_named_with_its_reason(
    server: Server, repo: Repo, monkeypatch: pytest.MonkeyPatch, waits: list[float]
) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    server.answers["/wrong.csv"] = [(200, b"<html>")]
    task = _task(
        Source(f"${VARIABLE}/iris.csv", _read),
        Source("http://127.0.0.1:9/dead.csv", _read, DIGEST),
        Source(f"{server.url}/gone.csv", _read, DIGEST),
        Source(f"{server.url}/wrong.csv", _read, DIGEST),
    )
    with pytest.raises(PipelineError) as caught:
        _fetch(task, repo)
    message = str(caught.value)
    assert message.startswith("iris: no source has its data (MLOPS_TEST_FOLDER names no folder; ")
    assert "dead.csv: cannot be reached; " in message
    assert "gone.csv: answers 404; " in message
    assert "wrong.csv: sends a file with another hash)" in message
    assert "put a snapshot at data/iris.csv.gz" in message


def test_a_download_with_another_table_is_refused(server: Server, repo: Repo) -> None:
    server.answers["/iris.csv"] = [(200, tables.to_csv(TABLE.iloc[1:]))]
    with pytest.raises(PipelineError, match=f"iris.csv: the table's SHA-256 is .*{TASK.digest}"):
        _fetch(_task(Source(f"{server.url}/iris.csv", _read)), repo)


def test_a_file_that_cannot_be_parsed_is_named(server: Server, repo: Repo) -> None:
    server.answers["/iris.csv"] = [(200, b"")]
    with pytest.raises(PipelineError, match=r"iris\.csv: cannot be read as the data set"):
        _fetch(_task(Source(f"{server.url}/iris.csv", _read)), repo)


def test_a_folder_is_read_where_it_lies(
    repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "iris.csv").write_bytes(CSV)
    monkeypatch.setenv(VARIABLE, str(tmp_path / "elsewhere"))
    fetched = _fetch(_task(Source(f"${VARIABLE}/iris.csv", _read, DIGEST)), repo)
    assert (fetched.snapshot, fetched.origin) == (False, "$MLOPS_TEST_FOLDER/iris.csv")


def test_a_folder_s_file_with_the_wrong_hash_is_refused(
    repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "iris.csv").write_bytes(CSV + b"\n")
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    with pytest.raises(PipelineError, match=rf"iris\.csv: its SHA-256 is .*, not {DIGEST}"):
        _fetch(_task(Source(f"${VARIABLE}/iris.csv", _read, DIGEST)), repo)


def test_a_folder_without_the_file_gives_way_to_the_next_source(
    server: Server, repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    server.answers["/iris.csv"] = [(200, CSV)]
    download = Source(f"{server.url}/iris.csv", _read, DIGEST)
    assert _fetch(_task(Source(f"${VARIABLE}/iris.csv", _read), download), repo).snapshot
    words = re.escape(f"{VARIABLE}={tmp_path} has no file iris.csv")
    with pytest.raises(PipelineError, match=words):
        _fetch(_task(Source(f"${VARIABLE}/iris.csv", _read)), repo)


def test_the_snapshot_comes_first(repo: Repo) -> None:
    tables.write(repo.data / "iris.csv.gz", TABLE)
    fetched = _fetch(_task(), repo)
    assert (fetched.snapshot, fetched.origin) == (False, "data/iris.csv.gz")


def test_a_snapshot_with_other_rows_is_refused(repo: Repo) -> None:
    tables.write(repo.data / "iris.csv.gz", TABLE.iloc[1:])
    with pytest.raises(PipelineError, match=r"data/iris\.csv\.gz: the table's SHA-256 is"):
        _fetch(_task(), repo)


def test_a_snapshot_s_bad_row_is_named_before_its_hash(repo: Repo) -> None:
    bad = TABLE.assign(petal_width=TABLE.petal_width.mask(TABLE.index == 4, 99))
    tables.write(repo.data / "iris.csv.gz", bad)
    with pytest.raises(PipelineError, match="row 5, column petal_width: the value '99' is not"):
        _fetch(_task(), repo)
