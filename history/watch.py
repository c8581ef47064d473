"""Keeps MLflow's database up to date with the run files until it is interrupted."""

import sqlite3
import time
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import PipelineError
from history import layout
from history.artifacts import ArtifactStore
from history.build import build_database

if TYPE_CHECKING:  # Prometheus' client is needed by `watch` alone
    from history.metrics import Exporter

SECONDS = 5.0


def watch(
    mlruns: Path,
    target: Path | str,
    seconds: float = SECONDS,
    exporter: "Exporter | None" = None,
    artifacts: ArtifactStore | None = None,
) -> None:
    """Build the database whenever folders of the history change, until interrupted.

    A change is printed. A fault of the history, which may be half-way through a `git
    pull`, is printed once, and the build is tried again.

    Args:
        mlruns: the folder of the history.
        target: the database; see `build_database`.
        seconds: the time between two checks of the folders.
        exporter: keeps the metrics of the history; it serves them if its `serve` was
            called.
        artifacts: a bucket that is kept up to date, too.
    """
    if exporter is None:
        from history import metrics

        exporter = metrics.Exporter()
    watcher = Watcher(mlruns, target, exporter, artifacts)
    while True:
        watcher.check()
        time.sleep(seconds)


class Watcher:
    """Compares the folders of a history with those of the last build."""

    def __init__(
        self,
        mlruns: Path,
        target: Path | str,
        exporter: "Exporter",
        artifacts: ArtifactStore | None = None,
    ) -> None:
        self._mlruns = mlruns
        self._target = target
        self._exporter = exporter
        self._artifacts = artifacts
        self._built: list[tuple[Path, int]] | None = None
        self._failure = ""

    def check(self) -> None:
        """Build the database if the folders have changed since the last build."""
        state = folder_times(self._mlruns)
        if state != self._built:
            try:
                self._build()
            except (PipelineError, OSError, sqlite3.Error) as error:
                self._report(str(error))
                return
            self._built = state
        self._exporter.last_success.set_to_current_time()

    def _build(self) -> None:
        change = build_database(self._mlruns, self._target)
        self._exporter.update(self._target)
        if change.added or change.removed:
            print(change, flush=True)
        if self._artifacts:
            self._artifacts.synchronize(_print)
        self._failure = ""

    def _report(self, failure: str) -> None:
        self._exporter.failures.inc()
        if failure != self._failure:
            print(failure, flush=True)
        self._failure = failure


def _print(sentence: str) -> None:
    print(sentence, flush=True)


def folder_times(mlruns: Path) -> list[tuple[Path, int]]:
    """Return the folders that change when a run or a promotion is added or removed.

    Each comes with the time of its last change, in nanoseconds.
    """
    registry = mlruns / layout.REGISTRY
    folders = layout.day_folders(mlruns)
    folders += [registry / name for name in layout.folders(registry)]
    folders.append(layout.archived_folder(mlruns, ""))
    times = []
    for path in folders:
        if path.exists():
            changed = path.stat().st_mtime_ns
            times.append((path, changed))
    return times
