"""Measure the pages of a history of 30,000 runs: `nox -s bench -- site`.

    python -m tools.bench.site --runs 30000

The runs are copies of the newest push with other numbers. The pages are opened from the
disk in a browser without a window (Chromium); a view is complete when the table or chart
is there, and not only its frame.
"""

import math
import random
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from core.git import git
from history import layout
from history.history import History
from pipeline.repo import Repo
from pipeline.site import site as pages
from scripts import commands
from tools.browser import find_browser, running
from tools.soak.repository import DAY_MS, PUSHES_A_DAY
from tools.soak.template import copy_push, newest_pushes

ROOT = Path(__file__).resolve().parents[2]
LIMIT_MS = 1000.0  # of the first view of a page
TIMES = 3  # that a page is opened, of which the shortest counts
# The first paint is reported some time after the page was loaded.
COMPLETE = """
new Promise(resolve => new PerformanceObserver(list => resolve(list.getEntries()[0]))
  .observe({type: "paint", buffered: true}))
  .then(paint => Math.max(paint.startTime,
    Number(document.documentElement.dataset.ready ?? 0)))
"""
console = Console(highlight=False, soft_wrap=True)


def make_history(folder: Path, runs: int, seed: int = 0) -> Repo:
    """Make a checkout with the runs of this project and copies of the newest push.

    Args:
        runs: how many runs it has at least.
    """
    mlruns = folder / "mlruns"
    shutil.copytree(ROOT / "mlruns", mlruns)
    (folder / "params.yaml").touch()
    commit = git(ROOT, "rev-parse", "HEAD")
    with tempfile.TemporaryDirectory(prefix="mlops-") as name:
        template = newest_pushes(ROOT, commit, Path(name).resolve())
    draw = random.Random(seed)
    present = len(History.open(mlruns))
    missing = max(runs - present, 0)
    pushes = math.ceil(missing / len(template.runs))
    days_of_pushes = pushes // PUSHES_A_DAY
    days_of_history = template.history_ms // DAY_MS
    days = days_of_pushes + days_of_history + 2
    for number in range(pushes):
        later = (number // PUSHES_A_DAY - days) * DAY_MS
        for copy in copy_push(template.runs, draw, later):
            target = mlruns / copy.place
            target.mkdir(parents=True)
            (target / layout.RUN_FILE).write_text(copy.text, "utf-8")
    return Repo.open(folder)


def write_site(repo: Repo, folder: Path) -> float:
    """Write the site, and return how many seconds that took."""
    began = time.perf_counter()
    with History.open(repo.mlruns) as history:
        pages.write(repo, history, folder)
    return time.perf_counter() - began


def addresses(repo: Repo) -> dict[str, str]:
    """Return the pages to open by what they show."""
    history = History.open(repo.mlruns)
    champion = history.champion("housing")
    if champion is None:
        raise commands.fail("this repository has no model of housing to look at.")
    run = "/".join(history.folder(champion.run_id).parts[-3:])
    return {
        "the overview": "index.html",
        "a task, its chart and newest pushes": "task-housing.html",
        "the runs of a month": "runs.html#housing",
        "a run": f"run.html#{run}",
        "two runs": f"compare.html#{run},{run}",
        "parallel coordinates": "parallel.html#housing",
    }


def measure(site: Path, opened: dict[str, str], browser: str) -> dict[str, float]:
    """Return the milliseconds of the first view of each page."""
    times = {}
    for title, name in opened.items():
        address = f"{site.as_uri()}/{name}"
        times[title] = min(_first_view(address, browser) for _ in range(TIMES))
    return times


def _first_view(address: str, browser: str) -> float:
    """Open a page in a browser of its own, in which nothing is in a cache."""
    with tempfile.TemporaryDirectory(
        prefix="mlops-", ignore_cleanup_errors=True
    ) as profile:
        with running(browser, Path(profile)) as page:
            page.open(address)
            return float(page.run(COMPLETE))


def main(
    runs: Annotated[int, typer.Option(min=1, help="Runs of the history.")] = 30_000,
) -> None:
    """Print all figures; the exit status is 1 if a page takes longer than a second."""
    browser = find_browser()
    with tempfile.TemporaryDirectory(prefix="mlops-") as name:
        folder = Path(name).resolve()
        console.print(f"Inventing {runs:,} runs in {folder} ...")
        repo = make_history(folder / "history", runs)
        site = folder / "site"
        seconds = write_site(repo, site)
        files = [path for path in site.rglob("*") if path.is_file()]
        megabytes = sum(path.stat().st_size for path in files) / 1e6
        times = measure(site, addresses(repo), browser)
    console.print(
        f"{seconds:.1f} s to write {len(files):,} files of {megabytes:.0f} MB in all"
    )
    table = Table("first view of", "ms", "limit")
    for title, milliseconds in times.items():
        table.add_row(title, f"{milliseconds:.0f}", f"{LIMIT_MS:.0f}")
    console.print(table)
    if max(times.values()) > LIMIT_MS:
        raise typer.Exit(1)


if __name__ == "__main__":
    sys.exit(commands.run(main))
