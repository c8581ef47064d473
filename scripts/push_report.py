"""Describes a push, task by task, as Markdown: candidates, decision, metric's history.

It needs only a commit of `pipeline publish`, which may be that of a dry run.
"""

import json
import os
import sys
import tempfile
from itertools import chain
from pathlib import Path
from typing import Annotated

import typer

from core.errors import UsageError
from core.files import write_atomic
from core.git import git
from core.git_objects import Tree
from history.committed import CommittedHistory
from history.location import Location
from pipeline import tasks
from pipeline.publish.loop import PUBLISHED
from pipeline.repo import Repo
from pipeline.report import day_summaries
from pipeline.report.day_summaries import Days
from pipeline.report.pushes import Runs, events, gate_reason
from pipeline.report.templates import render
from scripts import commands
from scripts.ci.outputs import put

SHOWN = 10
ROOT = Path(__file__).resolve().parents[1]
REPORT = ROOT / "build" / "report.md"


def main(
    commit: Annotated[
        str,
        typer.Argument(
            help="A commit of `pipeline publish`.", show_default="the newest here"
        ),
    ] = PUBLISHED,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="The commit was not pushed: no links into it."),
    ] = False,
) -> None:
    """Write `build/report.md` about a published commit, and print its headline."""
    base = ""
    if not dry_run:
        base = _base()
    report = describe(ROOT, commit, base)
    write_atomic(REPORT, report)
    subject, commit = git(ROOT, "log", "-1", "--format=%s%n%H", commit).splitlines()
    put(commit=commit, headline=subject.partition(": ")[2])


def describe(root: Path, commit: str, base: str) -> str:
    """Return the description of a commit of `pipeline publish`, as Markdown.

    Args:
        base: the beginning of the files' addresses; without it, runs are not linked.

    Raises:
        UsageError: it is not such a commit.
    """
    published = _runs(root, commit)
    with tempfile.TemporaryDirectory(prefix="mlops-") as folder:
        repo = Repo(Path(folder).resolve())
        history = CommittedHistory(Location(repo.mlruns), Tree(root, commit))
        whole = list(chain.from_iterable(published.values()))
        runs = Runs.read(history, _days(repo, history, Tree(root, commit)), whole)
        sections = []
        checks = {}
        reasons = {}
        for name, run_ids in published.items():
            task = tasks.load(name)
            versions = history.promotions(name)
            parent, *candidates = [runs.by_id[run_id] for run_id in run_ids]
            pushes = events(task, runs, versions)
            sections.append((task, parent, candidates, versions, pushes))
            reasons[name] = gate_reason(parent)
            checks[name] = json.loads(parent.tags.get("gate.checks", "[]"))
    return render(
        "push.md",
        waiting=_waiting(root, commit),
        sections=sections,
        reasons=reasons,
        checks=checks,
        runs=runs,
        shown=SHOWN,
        base=base,
    )


def _days(repo: Repo, history: CommittedHistory, tree: Tree) -> Days:
    """Return the summaries of the days, those of the tree where they hold."""
    kept = day_summaries.folder(repo)
    files = tree.files(kept.relative_to(repo.root).as_posix())
    tree.write_files(dict(files), repo.root)
    return day_summaries.read(history, kept)


def _runs(root: Path, commit: str) -> dict[str, list[str]]:
    """Return the runs that a commit publishes, by task: the parent run comes first.

    Raises:
        UsageError: it is not a commit of `pipeline publish`.
    """
    trailers = "--format=%(trailers:key=Mlops-Runs,valueonly)"
    runs = {}
    for line in git(root, "log", "-1", trailers, commit).splitlines():
        task, *run_ids = line.split() or [""]
        if run_ids:
            runs[task] = run_ids
    # A manual promotion names a single run.
    fewest = min((len(run_ids) for run_ids in runs.values()), default=0)
    if fewest < 2:
        raise UsageError(
            f"{commit} is not a commit of `pipeline publish`: give another one."
        )
    return runs


def _waiting(root: Path, commit: str) -> dict[str, str]:
    """Return the tasks that a commit could not train, with the hosts they wait for."""
    trailers = "--format=%(trailers:key=Mlops-Waiting,valueonly,unfold)"
    waiting = {}
    for line in git(root, "log", "-1", trailers, commit).splitlines():
        if line:
            task, _, hosts = line.partition(" ")
            waiting[task] = hosts
    return waiting


def _base() -> str:
    """Return the address of the repository's files, whose run folders never move."""
    server = os.environ.get("GITHUB_SERVER_URL", "")
    repository = os.environ.get("GITHUB_REPOSITORY")
    branch = os.environ.get("PUBLISH_BRANCH") or os.environ.get("BRANCH")
    if not repository or not branch:
        return ""
    return f"{server}/{repository}/tree/{branch}/"


if __name__ == "__main__":
    sys.exit(commands.run(main))
