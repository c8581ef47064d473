"""Imports that are killed, or fail half-way."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from mlflow.entities import Param

from history import layout
from tests.conftest import posix
from tests.paths import ROOT
from tests.support.history_factories import Workspace, import_into, verify
from tests.support.source_store import SourceStore
from tests.support.waiting import wait_until

RUNS = 80
MAIN = """
import sys
from history.__main__ import main

sys.argv[0] = "mlflow-history"
main()
"""
SMALL_DISK = """
import resource
import signal

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))
"""


@pytest.fixture
def source(tmp_path: Path) -> SourceStore:
    return SourceStore(tmp_path / "source")


def command(
    repo: Workspace,
    source: SourceStore,
    script: str = MAIN,
) -> list[str]:
    folder = ["--folder", str(repo.mlruns)]
    return [sys.executable, "-c", script, *folder, "import", "--from", source.uri]


@posix
@pytest.mark.slow
def test_a_full_disk_is_one_sentence_and_leaves_no_half_run(
    repo: Workspace, source: SourceStore
) -> None:
    run_id = source.log(status=None)
    source.client.log_text(run_id, "x" * 100_000, "large.txt")
    source.client.set_terminated(run_id)
    process = subprocess.run(
        command(repo, source, SMALL_DISK + MAIN),
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert process.returncode == 1
    error = " ".join(process.stderr.split())
    assert "Traceback" not in error
    assert "File too large" in error
    assert layout.run_folders(repo.mlruns) == {}
    assert len(import_into(repo, source.uri)) == 1


@pytest.mark.slow
@pytest.mark.nightly
def test_a_killed_import_is_finished_by_the_next(
    repo: Workspace, source: SourceStore
) -> None:
    for _ in range(RUNS):
        run_id = source.log(status=None)
        source.client.log_batch(run_id, params=[Param("p", "v")])
        source.client.log_text(run_id, "x" * 2000, "a/note.txt")
        source.client.set_terminated(run_id)
    imported = 0
    for _ in range(2):
        process = subprocess.Popen(
            command(repo, source), cwd=ROOT, stdout=subprocess.DEVNULL
        )
        enough = imported + 10
        wait_until(lambda: count(repo) >= enough, pause=0.003)
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert verify(repo) == []
        imported = count(repo)
        assert 0 < imported < RUNS
    assert len(import_into(repo, source.uri)) == RUNS
    assert verify(repo) == []
    assert not (repo.mlruns / ".local" / "importing").exists()


def count(repo: Workspace) -> int:
    return len(layout.run_folders(repo.mlruns))
