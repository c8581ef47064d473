"""Measures clones of a repository, and real publishes to it."""

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from core.git import git
from history import History, layout
from history.archive import archive
from tools.soak.repository import BRANCH

# Beyond this number of pushes a checkout of all files is left out: it takes minutes, and
# gigabytes.
MOST_CHECKED_OUT = 1000
# What a checkout takes that needs no runs: see .github/workflows/mlops.yml.
WITHOUT_RUNS = "/*\n!/mlruns/*/\n"
_MEGABYTE = 1e6

Figures = dict[str, float]


def seconds(work: Callable[[], object]) -> float:
    """Return how long some work takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def clone(origin: Path, target: Path, *options: str) -> None:
    """Clone a repository as from a server, with everything that this takes."""
    git(origin, "clone", "--quiet", *options, origin.as_uri(), str(target))


def clone_without_runs(origin: Path, target: Path, *options: str) -> None:
    """Clone what most jobs of the workflow take: everything but the runs."""
    partial = ("--filter=blob:none", "--no-checkout")
    clone(origin, target, *partial, *options)
    git(target, "sparse-checkout", "set", "--no-cone", "--stdin", stdin=WITHOUT_RUNS)
    git(target, "checkout", "--quiet", BRANCH)


def measure_clones(origin: Path, pushes: int, folder: Path) -> Figures:
    """Measure clones of several kinds, and the database that is built from one."""
    full = folder / "full"
    lint = folder / "lint"
    figures = {
        "clone": seconds(lambda: clone(origin, full, "--no-checkout")),
        "lint": seconds(lambda: clone_without_runs(origin, lint, "--depth=1")),
        "shallow": seconds(
            lambda: clone(origin, folder / "shallow", "--depth=1", "--no-checkout")
        ),
    }
    figures["clone_mb"] = _megabytes(full / ".git")
    figures["lint_mb"] = _megabytes(lint / ".git")
    listing = git(origin, "ls-tree", "-r", "--name-only", BRANCH)
    names = listing.splitlines()
    figures["files"] = len(names)
    figures["runs"] = sum(name.endswith("/run.json") for name in names)
    if pushes <= MOST_CHECKED_OUT:
        figures["checkout"] = seconds(lambda: git(full, "checkout", "--quiet", BRANCH))
        figures["build"] = seconds(lambda: pipeline(full, "history", "build"))
    return figures


def measure_publishes(origin: Path, publishes: int, folder: Path) -> Figures:
    """Train and publish for real, and measure the publishes."""
    team = folder / "team"
    reader = folder / "reader"
    clone_without_runs(origin, team)
    clone(origin, reader, "--no-checkout")
    git(team, "config", "user.name", "soak")
    git(team, "config", "user.email", "soak@example.org")
    times = []
    fetches = []
    for number in range(publishes):
        bundle = str(folder / f"bundle-{number}")
        pipeline(team, "train", "--task", "iris", "--out", bundle)
        times.append(seconds(lambda: pipeline(team, "publish", "--bundle", bundle)))
        fetches.append(seconds(lambda: git(reader, "fetch", "--quiet")))
    first, *others = times
    figures = {"first": first, "fetch": statistics.median(fetches)}
    if others:
        figures["publish"] = statistics.median(others)
    return figures


def measure_archive(origin: Path, folder: Path) -> Figures:
    """Archive every year, and measure a clone of what is left.

    The years are archived as on the first day after the last of them.
    """
    maintainer = folder / "maintainer"
    clone(origin, maintainer)
    git(maintainer, "config", "user.name", "soak")
    git(maintainer, "config", "user.email", "soak@example.org")
    history = History.open(maintainer / "mlruns")
    years = _years_of(history)
    later = datetime(int(years[-1]) + 1, 1, 1, tzinfo=UTC)
    began = time.perf_counter()
    tags = [archive(history, year, later).tag for year in years]
    archived = time.perf_counter() - began
    git(maintainer, "push", "--quiet", "--atomic", "origin", "HEAD", *tags)
    tip = folder / "tip"
    return {
        "archive": archived,
        "tip": seconds(lambda: clone(origin, tip, "--depth=1")),
    }


def _years_of(history: History) -> list[str]:
    """Return the years of the runs, the earliest first."""
    years = set()
    for place in history.folders.values():
        day = layout.date(place.parent)
        year, _, _ = day.partition("-")
        years.add(year)
    return sorted(years)


def pipeline(clone: Path, *arguments: str) -> None:
    """Run a command of the pipeline in a clone, with the clone's code.

    Raises:
        SystemExit: it failed; the text is what it printed.
    """
    done = subprocess.run(
        [sys.executable, "-m", "pipeline", *arguments],
        cwd=clone,
        env=os.environ | {"PYTHONPATH": str(clone)},
        capture_output=True,
        encoding="utf-8",
        errors="replace",
    )
    if done.returncode:
        raise SystemExit(done.stdout + done.stderr)


def _megabytes(folder: Path) -> float:
    files = [path for path in folder.rglob("*") if path.is_file()]
    size = sum(path.stat().st_size for path in files)
    return size / _MEGABYTE
