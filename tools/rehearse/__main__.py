"""Rehearses a push on this machine: `nox -s rehearse`."""

import os
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer

from core.git import git
from scripts import commands
from scripts.ci.plan import NOTHING
from scripts.stack.settings import ROOT
from tools.rehearse import events, origin
from tools.rehearse.act import Job, Run, Runner
from tools.rehearse.docker import own_stack, registry
from tools.rehearse.github import github

TITLES = f"{'job':24} {'result':8} {'from':>6} {'to':>6} {'share':>6}"


def main(
    without: Annotated[
        list[str] | None,
        typer.Option(
            metavar="SERVICE", help="Leave a service out of the stack; repeatable."
        ),
    ] = None,
    fresh: Annotated[
        bool,
        typer.Option(
            "--fresh",
            help=(
                "Rehearse the first push of a new copy: one commit, another default"
                " branch, no history."
            ),
        ),
    ] = False,
) -> None:
    """Rehearse a push of this commit, from the push to the released images.

    A bare repository and a folder stand in for GitHub; the workflow, Git, nox, Docker
    and the stack are real. It prints how each job ended and how long it took, and the
    page of the run.
    """
    with tempfile.TemporaryDirectory(prefix="rehearsal-") as folder:
        run = rehearse(Path(folder), without or [], fresh)
        show(run)
    results = set(run.results.values())
    if not results <= {"success", "skipped"}:
        raise typer.Exit(1)


def rehearse(folder: Path, without: list[str], fresh: bool) -> Run:
    """Rehearse a push with GitHub's stand-ins in a folder.

    Args:
        without: the services to leave out of the stack.
        fresh: rehearse the first push of a new copy.
    """
    with ExitStack() as stack:
        environment = _environment() | own_stack(folder, without)
        api = stack.enter_context(github())
        environment["GITHUB_API_URL"] = api.address
        try:
            address = stack.enter_context(registry(folder))
        except FileNotFoundError as error:
            raise commands.fail(str(error)) from error
        if fresh:
            bare = origin.make_copy(folder, "trunk")
        else:
            bare = origin.make(folder)
        variables = {"REGISTRY": address}
        runner = Runner(folder, bare, environment, variables, on_end=report)
        if fresh:
            return first_push(runner)
        return push(runner)


def _environment() -> dict[str, str]:
    """Return what the jobs share with this process: nox' environments and the data."""
    environments = os.environ.get("NOX_ENVDIR") or str(ROOT / ".nox")
    environment = {"NOX_ENVDIR": environments}
    for name in ("SCIKIT_LEARN_DATA", "MLOPS_DATA_DIR"):
        if name in os.environ:
            environment[name] = os.environ[name]
    return environment


def _clone(runner: Runner) -> Path:
    clone = runner.folder / "clone"
    git(runner.folder, "clone", "--quiet", str(runner.origin), str(clone))
    return clone


def first_push(runner: Runner) -> Run:
    """Let the workflow answer the push that a new, private repository begins with."""
    clone = _clone(runner)
    event = events.push(clone, before=NOTHING, private=True)
    return runner.run(clone, "push", event)


def push(runner: Runner) -> Run:
    """Clone, commit, push, and let the workflow answer."""
    clone = _clone(runner)
    commit = ["commit", "--quiet", "--allow-empty", "--message", "test: a rehearsal"]
    git(clone, *origin.IDENTITY, *commit)
    git(clone, "push", "--quiet", "origin", "HEAD:main")
    event = events.push(clone)
    return runner.run(clone, "push", event)


def show(run: Run) -> None:
    """Print a table of the jobs, and the page of the run."""
    total = sum(job.seconds for job in run.jobs.values())
    print()
    print(f"{TITLES}   seconds after the push")
    for job in run.jobs.values():
        start = job.began - run.began
        end = job.ended - run.began
        share = job.seconds / total
        print(f"{job.name:24} {job.result:8} {start:6.0f} {end:6.0f} {share:6.0%}")
    if "publish" in run.jobs:
        publish = run.jobs["publish"]
        published = publish.ended - run.began
        print(f"published after {published:.0f} s", end=", ")
    took = run.ended - run.began
    print(f"all done after {took:.0f} s")
    print()
    print(run.summary)


def report(job: Job) -> None:
    """Print that a job has ended, and the end of its log if it failed."""
    print(f"{job.name}: {job.result} after {job.seconds:.0f} s", flush=True)
    if job.result == "failure":
        for line in job.log[-40:]:
            print(line, flush=True)


if __name__ == "__main__":
    sys.exit(commands.run(main))
