"""Several processes that write into one history: one at a time, and each run once."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from history import History, import_runs, layout
from history.lock import write_lock
from tests.paths import ROOT
from tests.support.history_factories import (
    Workspace,
    add_run,
    model_id,
    new_store,
    new_workspace,
    promote,
    verify,
)
from tests.support.waiting import PATIENCE_SECONDS

RUNS = 40
# Waits for a line on its standard input, so that two of them begin at the same time.
ADD_ALL = """
import sys
from history import History, UsageError

source = History.open(sys.argv[1])
target = History.open(sys.argv[2])
runs = list(source.runs())
assert len(target) == 0
print("ready", flush=True)
sys.stdin.readline()
for run in runs:
    folder = source.folder(run.run_id)
    files = {}
    for artifact in run.artifacts:
        path = f"artifacts/{artifact.path}"
        files[path] = folder / path
    try:
        target.add(run, files)
        print("added", run.run_id, flush=True)
    except UsageError as error:
        assert "is in the history already" in str(error), error
        print("refused", run.run_id, flush=True)
"""
# Each says when it is about to write.
WRITERS = {
    "add": """
import sys
from history import History

source = History.open(sys.argv[1])
target = History.open(sys.argv[2])
(run,) = source.runs()
print("ready", flush=True)
target.add(run)
""",
    "promote": """
import sys
from history import History

source = History.open(sys.argv[1])
target = History.open(sys.argv[2])
promotion = source.champion("housing")
print("ready", flush=True)
target.promote(promotion)
""",
    "prune": """
import sys
from history import History
from history.prune import prune

target = History.open(sys.argv[2])
print("ready", flush=True)
prune(target, newest=0)
""",
}


@pytest.fixture
def source(tmp_path: Path) -> Workspace:
    return new_workspace(tmp_path / "source")


@pytest.fixture
def target(tmp_path: Path) -> Workspace:
    return new_workspace(tmp_path / "target")


def start(
    script: str,
    source: Workspace,
    target: Workspace,
) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", script, str(source.mlruns), str(target.mlruns)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process: subprocess.Popen[str], text: str = "") -> str:
    """Write a text to a process, wait for its end, and return its output."""
    output, errors = process.communicate(text, timeout=PATIENCE_SECONDS)
    assert process.returncode == 0, errors
    return output


def test_two_processes_that_add_the_same_runs_add_each_of_them_once(
    source: Workspace, target: Workspace
) -> None:
    content = b"x" * 300_000
    run_ids = []
    for _ in range(RUNS):
        run = add_run(source.mlruns, {"a.bin": content, "b/c.bin": content})
        run_ids.append(run.run_id)
    processes = [start(ADD_ALL, source, target), start(ADD_ALL, source, target)]
    for process in processes:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin
        process.stdin.write("go\n")
        process.stdin.flush()
    lines = []
    for process in processes:
        lines += finish(process).splitlines()

    added = [line.removeprefix("added ") for line in lines if line.startswith("added")]
    assert sorted(added) == sorted(run_ids)
    assert len(lines) == 2 * RUNS
    assert layout.run_folders(target.mlruns).keys() == set(run_ids)
    assert verify(target) == []
    assert not (target.mlruns / layout.LOCAL / "adding").exists()


@pytest.mark.parametrize("writer", WRITERS)
def test_a_process_waits_until_another_has_written(
    source: Workspace,
    target: Workspace,
    writer: str,
) -> None:
    run = add_run(source.mlruns, models={model_id(): {"model.onnx": b"x"}})
    promote(source, run)
    if writer == "promote":
        History.open(target.mlruns).add(run)
    with write_lock(target.mlruns):
        process = start(WRITERS[writer], source, target)
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
        time.sleep(1)
        assert process.poll() is None
        assert (run.run_id in target.history()) == (writer == "promote")
        assert target.history().champion("housing") is None
    finish(process)
    assert (run.run_id in target.history()) == (writer != "prune")
    is_promoted = target.history().champion("housing") is not None
    assert is_promoted == (writer == "promote")


def test_a_run_can_be_added_while_others_are_imported(
    source: Workspace,
    target: Workspace,
    tmp_path: Path,
) -> None:
    run = add_run(source.mlruns)
    uri, client, experiment = new_store(tmp_path / "store")
    logged = client.create_run(experiment).info.run_id
    client.set_terminated(logged)

    def add(_: Path) -> None:
        History.open(target.mlruns).add(run)

    with target.history() as history:
        import_runs(uri, history, imported=add)
    assert layout.run_folders(target.mlruns).keys() == {run.run_id, logged}
    assert verify(target) == []
