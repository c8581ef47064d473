"""A table is found by its digest, wherever the clone has it."""

import gzip
from dataclasses import replace
from pathlib import Path

import pytest

from core.errors import PipelineError
from core.files import sha256_bytes
from pipeline import tasks
from pipeline.data import by_digest
from pipeline.data import table as tables
from pipeline.data.fetch import fetch
from pipeline.repo import Repo
from pipeline.schema import Source
from pipeline.tasks import readers
from tests.support.history_factories import new_workspace
from tests.support.trained_runs import TASK, TrainedRuns


@pytest.fixture
def runs(tmp_path: Path) -> TrainedRuns:
    return TrainedRuns(tmp_path / "checkout")


def snapshot(repo: Repo) -> Path:
    return repo.data / "iris.csv.gz"


def replace_snapshot(runs: TrainedRuns) -> str:
    """Commit a shorter table in place of the snapshot; return the digest of the old."""
    path = snapshot(runs.repo)
    content = gzip.decompress(path.read_bytes())
    shorter = b"".join(content.splitlines(keepends=True)[:100])
    path.write_bytes(tables.packed(shorter))
    runs.commit("feat: fewer rows")
    return sha256_bytes(content)


def test_the_snapshot_in_the_checkout_is_found_and_read(runs: TrainedRuns) -> None:
    table = fetch(TASK, runs.repo).table
    content = by_digest.find(runs.repo, "iris", tables.digest(table), download=False)
    assert content == tables.to_csv(table)
    assert by_digest.read(TASK, content, "here").equals(table)


def test_a_snapshot_of_an_older_commit_is_found(
    runs: TrainedRuns, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = replace_snapshot(runs)
    monkeypatch.setattr(tasks, "names", lambda: [])  # no source of a task is asked
    content = by_digest.find(runs.repo, "iris", old, download=False)
    assert sha256_bytes(content) == old


def test_a_source_is_asked_last_and_a_damaged_snapshot_is_passed_over(
    tmp_path: Path,
) -> None:
    repo = Repo.open(new_workspace(tmp_path / "no-git").root)
    repo.data.mkdir()
    snapshot(repo).write_bytes(b"\x1f\x8bdamaged")
    content = by_digest.find(repo, "iris", TASK.digest, download=False)
    assert sha256_bytes(content) == TASK.digest


@pytest.mark.parametrize("task", ["iris", "wine"])
def test_data_that_nobody_has_are_one_sentence(runs: TrainedRuns, task: str) -> None:
    message = f"^the data of {task} with the SHA-256 000000000000… are neither in data/"
    with pytest.raises(PipelineError, match=message) as caught:
        by_digest.find(runs.repo, task, "0" * 64, download=False)
    assert str(caught.value).count(". ") == 0


def test_the_web_is_asked_only_if_it_may_be(
    runs: TrainedRuns, monkeypatch: pytest.MonkeyPatch, waits: list[float]
) -> None:
    dead = Source("http://127.0.0.1:9/iris.csv", readers.csv)
    with_dead_source = replace(TASK, sources=(dead,))
    monkeypatch.setattr(tasks, "load", lambda name: with_dead_source)
    for download in (False, True):
        with pytest.raises(PipelineError) as caught:
            by_digest.find(runs.repo, "iris", "0" * 64, download)
        assert ("127.0.0.1" in str(caught.value)) is download
