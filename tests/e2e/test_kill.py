"""`kill -9` at random moments: nothing is half-written, and the next call finishes the
work.

That of `history import` is in tests/unit/history/test_import_process.py, where the moment
can be chosen.
"""

import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from core.git import git
from history import layout, runfile
from pipeline import bundle as bundles
from pipeline.repo import Repo
from pipeline.verification import verify
from tests.conftest import Clone, commit_all
from tests.paths import ROOT
from tests.support import factories, run_factories

pytestmark = pytest.mark.slow


class Victim:
    """Runs a command again and again and kills it at random moments of its usual time."""

    def __init__(self, repo: Repo, seed: int) -> None:
        self.repo = repo
        self.chance = random.Random(seed)

    def kill(self, times: int, check: Callable[[], None], *arguments: str) -> None:
        """Time a command, kill it `times` times, checking after each, then let it
        finish.
        """
        seconds = self._time(*arguments)
        check()
        self.undo()
        killed = 0
        for _ in range(times * 4):
            began = time.monotonic()
            if self._runs(seconds * self.chance.uniform(0.4, 1.0), *arguments):
                # The command was slower when it was timed: other tests kept the machine
                # busy.
                seconds = time.monotonic() - began
                self.undo()
            else:
                killed += 1
            check()
            if killed == times:
                break
        assert killed == times
        assert self._runs(300, *arguments)
        check()

    def _time(self, *arguments: str) -> float:
        began = time.monotonic()
        assert self._runs(300, *arguments)
        return time.monotonic() - began

    def undo(self) -> None:
        """Make a finished command have something to do again."""

    def _runs(self, seconds: float, *arguments: str) -> bool:
        program = [sys.executable, "-m", "pipeline", "--repo", str(self.repo.root)]
        # To a file: the workers of a killed training keep a pipe open for minutes.
        with tempfile.TemporaryFile() as output:
            process = subprocess.Popen(
                [*program, *arguments],
                cwd=ROOT,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
            try:
                process.wait(timeout=seconds)
            except subprocess.TimeoutExpired:
                # With its children, as when a machine goes down; or alone, as by an
                # impatient user.
                if self.chance.random() < 0.5:
                    os.killpg(process.pid, signal.SIGKILL)
                else:
                    process.kill()
                process.wait()
                return False
            output.seek(0)
            assert process.returncode == 0, output.read().decode()
        return True


def unfinished(repo: Repo) -> list[str]:
    """Return the names of the temporary files that are left in the build folder."""
    names = [path.name for path in repo.build.iterdir()]
    return [name for name in names if name.startswith(".part-")]


@pytest.mark.nightly
def test_train(clone: Clone) -> None:
    repo = clone("train")
    (repo.root / "params.yaml").write_text(factories.PARAMS % 1)
    commit_all(repo.root, "feat: iris alone")
    out = repo.build / "bundle"

    def check() -> None:
        assert git(repo.root, "status", "--porcelain") == ""
        if out.exists():
            assert list(bundles.read(out).tasks) == ["iris"]
            assert len(layout.run_folders(out / "mlruns")) == 3

    Victim(repo, 1).kill(1, check, "train")
    assert unfinished(repo) == []


@pytest.mark.nightly
def test_publish(clone: Clone, origin: Path, tmp_path: Path) -> None:
    repo = clone("publish")
    rounds = 0
    first = git(repo.root, "rev-parse", "HEAD")
    user_file = repo.root / "draft.txt"
    user_file.write_text("mine")

    def begin() -> None:
        nonlocal rounds
        rounds += 1
        shutil.rmtree(repo.build / "bundle", ignore_errors=True)
        noises = {"housing": 0.5 / rounds}
        factories.bundle(repo.build / "bundle", first, noises, seed=rounds)

    def check() -> None:
        assert git(repo.root, "status", "--porcelain") == "?? draft.txt"
        assert git(repo.root, "rev-parse", "HEAD") == first
        git(origin, "fsck", "--strict", "--no-dangling")
        seen = tmp_path / "seen"
        shutil.rmtree(seen, ignore_errors=True)
        git(tmp_path, "clone", "--quiet", str(origin), str(seen))
        assert verify(Repo.open(seen)) == []

    begin()
    victim = Victim(repo, 2)
    victim.undo = begin  # type: ignore[method-assign]
    victim.kill(5, check, "publish")
    published = layout.run_folders(tmp_path / "seen" / "mlruns")
    bundle = bundles.read(repo.build / "bundle")
    run_ids = bundle.tasks["housing"].run_ids
    assert set(run_ids) <= set(published)


def _history(repo: Repo, runs: int) -> list[str]:
    """Write runs straight into the history and return their ids."""
    run_ids = []
    for number in range(runs):
        run_id = f"{number:032x}"
        params = {"n": str(number)}
        metrics = {"rmse": number / 7}
        run = run_factories.run(run_id, "housing", None, params, metrics)
        folder = layout.day_folder(repo.mlruns, "housing", run.started) / run_id
        folder.mkdir(parents=True)
        (folder / layout.RUN_FILE).write_text(runfile.dump(run))
        run_ids.append(run_id)
    return run_ids


TABLES = ("runs", "params", "metrics", "latest_metrics", "tags")


def row_counts(database: Path) -> set[int]:
    """Check the file of a database, and return how many rows its tables have."""
    counts = set()
    with sqlite3.connect(database, timeout=60) as connection:
        (result,) = connection.execute("PRAGMA integrity_check").fetchone()
        assert result == "ok"
        for table in TABLES:
            query = f"SELECT count(*) FROM {table}"
            (count,) = connection.execute(query).fetchone()
            counts.add(count)
    return counts


def move_all(sources: list[Path], targets: list[Path]) -> None:
    for source, target in zip(sources, targets, strict=True):
        if source.exists():
            source.rename(target)


def test_build(clone: Clone) -> None:
    repo = clone("build")
    run_ids = _history(repo, 1000)
    database = repo.build / "mlflow.db"
    folders = layout.run_folders(repo.mlruns)
    half = [folders[run_id] for run_id in run_ids[::2]]
    (repo.build / "aside").mkdir(parents=True)
    aside = [repo.build / "aside" / folder.name for folder in half]
    rounds = 0

    def check() -> None:
        if database.exists():
            (count,) = row_counts(database)
            assert count in (0, 500, 1000)

    def undo() -> None:
        """In turn from nothing, with half of the runs gone, and with all of them back."""
        nonlocal rounds
        rounds += 1
        if rounds % 3 == 0:
            for suffix in ("", "-wal", "-shm"):
                database.with_name(f"mlflow.db{suffix}").unlink(missing_ok=True)
        elif rounds % 3 == 1:
            move_all(half, aside)
        else:
            move_all(aside, half)

    victim = Victim(repo, 3)
    victim.undo = undo  # type: ignore[method-assign]
    victim.kill(6, check, "history", "build")
    assert database.exists()
    assert unfinished(repo) == []
