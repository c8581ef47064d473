"""Reports which data have changed at their source: `nox -s data`.

On GitHub it outputs the tasks to train again, and the reason. A source that cannot be
reached today is a warning. The exit status is 1 if a task's data are wrong; such a task
is never among those to train.
"""

import json
import os
import sys
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated

import typer

from core.errors import PipelineError, Unavailable
from pipeline import tasks
from pipeline.data import fetch as data
from pipeline.data import table as tables
from pipeline.data.fetch import Dataset
from pipeline.dvc.pointer import pointer_path
from pipeline.repo import Repo
from pipeline.schema import Task
from pipeline.workflow import warning
from scripts import commands
from scripts.ci.outputs import put, summarize

ROOT = Path(__file__).resolve().parent.parent
SHOWN = 8  # digits of a digest


def _short(digest: str) -> str:
    return f"{digest[:SHOWN]}…"


@dataclass(frozen=True)
class Finding:
    """The data of one task, in the repository (`old`) and at the source (`new`).

    Attributes:
        old: the digest in the repository.
        old_rows: the number of rows there, unknown before there is a snapshot.
        new: the digest at the source.
        public: false for a folder of the user's own. Its data are never committed, so
            a training would not end the difference.
        problem: what is wrong with the data.
        waits_for: the hosts that do not provide the data today.
    """

    task: str
    old: str = ""
    old_rows: int | None = None
    new: str = ""
    new_rows: int = 0
    public: bool = True
    problem: str = ""
    waits_for: str = ""

    @property
    def state(self) -> str:
        """Whether the data are `unchanged`, `changed`, `unavailable` or `failed`."""
        if self.problem:
            return "failed"
        if self.waits_for:
            return "unavailable"
        if self.old != self.new:
            return "changed"
        return "unchanged"

    @property
    def digests(self) -> str:
        """The change in short."""
        return f"sha256 {_short(self.old)} → {_short(self.new)}"

    @property
    def line(self) -> str:
        """The finding for people."""
        if self.problem:
            return f"{self.task}: cannot be read: {self.problem}"
        if self.waits_for:
            return f"{self.task}: not there today: {self.waits_for}"
        if self.state == "unchanged":
            digest = _short(self.new)
            return f"{self.task}: unchanged, {self.new_rows} rows, sha256 {digest}"
        rows = f"{self.new_rows} rows"
        if self.old_rows is not None:
            rows = f"{self.old_rows} → {rows}"
        line = f"{self.task}: changed, {rows}, {self.digests}"
        if not self.public:
            line += "; in a folder of yours, so run the training yourself"
        return line


def check(name: str, repo: Repo) -> Finding:
    """Compare a task's data at their source with those of the repository."""
    try:
        task = tasks.load(name)
        finding = Finding(name, old=task.digest)
        if data.snapshot_path(repo.data, task).is_file():
            snapshot = data.fetch(task, repo)
            rows = len(snapshot.table)
            finding = Finding(name, old=snapshot.digest, old_rows=rows)
        fresh = data.fetch(task, repo, refresh=True)
    except Unavailable as error:
        return Finding(name, waits_for=error.waits_for)
    except PipelineError as error:
        return Finding(name, problem=str(error).removeprefix(f"{name}: "))
    expected = _has_expected_rows(task, fresh, finding)
    finding = replace(
        finding,
        new=task.digest if expected else fresh.digest,
        new_rows=len(fresh.table),
        public=fresh.snapshot,
    )
    if finding.state != "changed":
        return finding
    return replace(finding, waits_for=_doubt(task, fresh))


def _has_expected_rows(task: Task, fresh: Dataset, finding: Finding) -> bool:
    """Check for the rows of the task's YAML in another order, without a snapshot."""
    no_snapshot = finding.old_rows is None
    return no_snapshot and tables.rows_digest(fresh.table) == task.rows_digest


def _doubt(task: Task, fresh: Dataset) -> str:
    """Return why the change is in doubt: a mirror may be older than the source."""
    first = fresh.origin
    for source in task.sources:
        if not source.private:
            first = source.address
            break
    if not fresh.snapshot or fresh.origin == first:
        return ""
    return (
        f"{first} gives nothing, and {fresh.origin} has other rows than the repository;"
        " if the first is gone for good, take it out of"
        f" pipeline/tasks/{task.name}.yaml"
    )


def put_outputs(findings: list[Finding]) -> None:
    """Write the workflow's outputs: the tasks to train again, and the reason."""
    names = []
    reasons = []
    for finding in findings:
        if finding.state == "changed" and finding.public:
            names.append(finding.task)
            change = f"changed at its source: {finding.digests}"
            reasons.append(f"the data of {finding.task} {change}")
    if "GITHUB_STEP_SUMMARY" in os.environ:
        lines = [f"- {finding.line}" for finding in findings]
        summarize("\n".join(lines))
    put(tasks=" ".join(names), reason="; ".join(reasons))


def main(
    repo: Annotated[Path, typer.Option(help="The repository's root.")] = ROOT,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Check the data of every task, and print what has changed."""
    checkout = Repo.open(repo)
    findings = []
    for name in tasks.names():
        # A table that DVC keeps is the user's, and no training fetches another.
        path = checkout.data / f"{name}.csv.gz"
        if not pointer_path(path).is_file():
            findings.append(check(name, checkout))
    if as_json:
        print(_as_json(findings))
    else:
        for finding in findings:
            print(finding.line)
    if "GITHUB_OUTPUT" in os.environ:
        put_outputs(findings)
    for finding in findings:
        if finding.state == "unavailable":
            title = f"the data of {finding.task} are not there today"
            warning(title, finding.waits_for)
    failed = [finding.task for finding in findings if finding.problem]
    if failed:
        raise commands.fail(
            f"nothing can be said of the data of {', '.join(failed)}, and nothing is"
            " trained on them: see the reason above."
        )


def _as_json(findings: list[Finding]) -> str:
    described = []
    for finding in findings:
        described.append({"state": finding.state} | asdict(finding))
    return json.dumps(described, indent=1)


if __name__ == "__main__":
    sys.exit(commands.run(main))
