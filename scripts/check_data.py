"""Tells which data changed at their source: `nox -s data`.

On GitHub it puts out the tasks to train anew, and why. A source that cannot be reached
today is a warning. It ends with 1 if the data of a task are wrong; these are never
among the tasks.
"""

import argparse
import json
import os
import sys
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from core.errors import PipelineError, Unavailable
from pipeline import tasks
from pipeline.data import fetch as data
from pipeline.data import table as tables
from pipeline.data.fetch import Dataset
from pipeline.repo import Repo
from pipeline.schema import Task
from pipeline.workflow import warning
from scripts import console
from scripts.ci.outputs import put, summarize

ROOT = Path(__file__).resolve().parent.parent
SHOWN = 8  # digits of a digest


@dataclass(frozen=True)
class Finding:
    """The data of one task: what the repository holds (`old`), and what the source has
    (`new`).

    `public` is false for a folder of the user's own: nothing of it is ever committed,
    so a training would not end the difference. `problem` says what is wrong with the
    data, `waits_for` which hosts do not give them today.
    """

    task: str
    old: str = ""
    old_rows: int | None = None  # not known before there is a snapshot
    new: str = ""
    new_rows: int = 0
    public: bool = True
    problem: str = ""
    waits_for: str = ""

    @property
    def state(self) -> str:
        """Whether the data are `unchanged`, `changed`, `unavailable` or `failed`."""
        if self.problem or self.waits_for:
            return "failed" if self.problem else "unavailable"
        return "changed" if self.old != self.new else "unchanged"

    @property
    def digests(self) -> str:
        """The change in short."""
        return f"sha256 {self.old[:SHOWN]}… → {self.new[:SHOWN]}…"

    @property
    def line(self) -> str:
        """The finding for people."""
        if self.problem:
            return f"{self.task}: cannot be read: {self.problem}"
        if self.waits_for:
            return f"{self.task}: not there today: {self.waits_for}"
        if self.state == "unchanged":
            return (
                f"{self.task}: unchanged, {self.new_rows} rows, sha256"
                f" {self.new[:SHOWN]}…"
            )
        rows = (
            f"{'' if self.old_rows is None else f'{self.old_rows} → '}{self.new_rows}"
            " rows"
        )
        private = (
            "" if self.public else "; in a folder of yours, so train on it by hand"
        )
        return f"{self.task}: changed, {rows}, {self.digests}{private}"


def check(name: str, repo: Repo) -> Finding:
    """Read a task's data at their source and compare them with what the repository
    holds.
    """
    try:
        task = tasks.load(name)
        finding = Finding(name, old=task.digest)
        if data.snapshot_path(repo.data, task).is_file():
            held = data.fetch(task, repo)
            finding = Finding(name, old=held.digest, old_rows=len(held.table))
        fresh = data.fetch(task, repo, fresh=True)
    except Unavailable as error:
        return Finding(name, waits_for=error.waits_for)
    except PipelineError as error:
        return Finding(name, problem=str(error).removeprefix(f"{name}: "))
    new = task.digest if _as_expected(task, fresh, finding) else fresh.digest
    found = replace(finding, new=new, new_rows=len(fresh.table), public=fresh.snapshot)
    return (
        replace(found, waits_for=_doubt(task, fresh))
        if found.state == "changed"
        else found
    )


def _as_expected(task: Task, fresh: Dataset, finding: Finding) -> bool:
    """Tell whether these are the rows of the task's YAML in another order, without a
    snapshot.
    """
    no_snapshot = finding.old_rows is None
    return no_snapshot and tables.rows_digest(fresh.table) == task.rows_digest


def _doubt(task: Task, fresh: Dataset) -> str:
    """Say what speaks against a change: a copy elsewhere may be older than the source."""
    first = next((s.address for s in task.sources if not s.private), fresh.origin)
    if not fresh.snapshot or fresh.origin == first:
        return ""
    return (
        f"{first} gives nothing, and {fresh.origin} has other rows than the repository;"
        " if the first is gone for good, take it out of"
        f" pipeline/tasks/{task.name}.yaml"
    )


def tell_workflow(findings: list[Finding]) -> None:
    """Put out which tasks are to be trained anew, and why."""
    changed = [found for found in findings if found.state == "changed" and found.public]
    reasons = [
        f"the data of {f.task} changed at its source: {f.digests}" for f in changed
    ]
    if "GITHUB_STEP_SUMMARY" in os.environ:
        summarize("\n".join(f"- {found.line}" for found in findings))
    put(tasks=" ".join(found.task for found in changed), reason="; ".join(reasons))


def main(arguments: list[str] | None = None) -> int:
    """Check every task, print what was found, and put out what is to be done."""
    parser = argparse.ArgumentParser(description=console.first_line(__doc__))
    parser.add_argument("--repo", type=Path, default=ROOT, help="the repository's root")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args(arguments)
    try:
        repo = Repo.open(options.repo)
    except PipelineError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_status
    findings = [check(name, repo) for name in tasks.names()]
    if options.json:
        print(
            json.dumps(
                [{"state": found.state, **asdict(found)} for found in findings],
                indent=1,
            )
        )
    else:
        print("\n".join(found.line for found in findings))
    if "GITHUB_OUTPUT" in os.environ:
        tell_workflow(findings)
    for found in findings:
        if found.state == "unavailable":
            warning(f"the data of {found.task} are not there today", found.waits_for)
    failed = [found.task for found in findings if found.problem]
    if failed:
        print(
            f"error: nothing can be said of the data of {', '.join(failed)}, and"
            " nothing is trained on them: see the reason above.",
            file=sys.stderr,
        )
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(console.run(main))
