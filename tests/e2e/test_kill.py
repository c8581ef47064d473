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
from tests.conftest import commit_all
from tests.paths import ROOT
from tests.support import factories, run_factories

pytestmark = pytest.mark.slow


class Victim:
    """Runs a command again and again and kills it at random moments of its usual time."""

    def __init__(self, repo: Repo, seed: int) -> None:
        self.repo, self.chance = repo, random.Random(seed)

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
                # Faster than thought: the first time, other tests had kept the machine
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
        command = [
            sys.executable,
            "-m",
            "pipeline",
            "--repo",
            str(self.repo.root),
            *arguments,
        ]
        # To a file: the workers of a killed training keep a pipe open for minutes.
        with tempfile.TemporaryFile() as said:
            process = subprocess.Popen(
                command, cwd=ROOT, stdout=said, stderr=said, start_new_session=True
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
            said.seek(0)
            assert process.returncode == 0, said.read().decode()
        return True


def test_train(clone: Callable[..., Repo]) -> None:
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
    assert [
        path.name for path in repo.build.iterdir() if path.name.startswith(".part-")
    ] == []


def test_publish(clone: Callable[..., Repo], origin: Path, tmp_path: Path) -> None:
    repo, rounds = clone("publish"), 0
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
    assert set(bundles.read(repo.build / "bundle").tasks["housing"].run_ids) <= set(
        published
    )


def _history(repo: Repo, runs: int) -> list[str]:
    """Write runs straight into the history and return their ids."""
    made = []
    for number in range(runs):
        run_id = f"{number:032x}"
        run = run_factories.run(
            run_id, "housing", None, {"n": str(number)}, {"rmse": number / 7}
        )
        folder = layout.day_folder(repo.mlruns, "housing", run.started) / run_id
        folder.mkdir(parents=True)
        (folder / layout.RUN_FILE).write_text(runfile.dump(run))
        made.append(run_id)
    return made


def test_build(clone: Callable[..., Repo]) -> None:
    repo = clone("build")
    run_ids, database = _history(repo, 1000), repo.build / "mlflow.db"
    half = [layout.run_folders(repo.mlruns)[run_id] for run_id in run_ids[::2]]
    aside = repo.build / "aside"
    aside.mkdir(parents=True)
    rounds = 0

    def check() -> None:
        if database.exists():
            with sqlite3.connect(database, timeout=60) as connection:
                assert connection.execute("PRAGMA integrity_check").fetchone() == (
                    "ok",
                )
                counts = [
                    connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
                    for table in ("runs", "params", "metrics", "latest_metrics", "tags")
                ]
            assert len(set(counts)) == 1 and counts[0] in (0, 500, 1000)

    def undo() -> None:
        """In turn from nothing, with half of the runs gone, and with all of them back."""
        nonlocal rounds
        rounds += 1
        if rounds % 3 == 0:
            for suffix in ("", "-wal", "-shm"):
                database.with_name(f"mlflow.db{suffix}").unlink(missing_ok=True)
        for folder in half:
            source, target = folder, aside / folder.name
            if rounds % 3 == 2:
                source, target = target, source
            if rounds % 3 in (1, 2) and source.exists():
                source.rename(target)

    victim = Victim(repo, 3)
    victim.undo = undo  # type: ignore[method-assign]
    victim.kill(6, check, "history", "build")
    left = [
        path.name for path in repo.build.iterdir() if path.name.startswith(".part-")
    ]
    assert database.exists() and left == []
