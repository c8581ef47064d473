"""Rehearse a push of this commit on this machine, from the push to the released images.

GitHub is a bare repository and a folder; the workflow, Git, nox, Docker and the stack
are real.
"""

import argparse
import os
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from core.git import git
from scripts import console
from scripts.ci.plan import NOTHING
from scripts.stack.settings import ROOT
from tools.rehearse import events, origin
from tools.rehearse.act import Job, Run, Runner
from tools.rehearse.docker import own_stack, registry
from tools.rehearse.github import github


def main() -> int:
    """Push, print what each job did and took, and the page of the run; 0 if all went
    well.
    """
    flags = _flags()
    with ExitStack() as stack:
        folder = Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix="rehearsal-"))
        )
        environment = {"NOX_ENVDIR": os.environ.get("NOX_ENVDIR") or str(ROOT / ".nox")}
        for name in ("SCIKIT_LEARN_DATA", "MLOPS_DATA_DIR"):
            environment |= {name: os.environ[name]} if name in os.environ else {}
        environment |= own_stack(folder, flags.without)
        environment["GITHUB_API_URL"] = stack.enter_context(github()).address
        try:
            address = stack.enter_context(registry(folder))
        except FileNotFoundError as error:
            print(f"error: {error}", file=sys.stderr)
            return 1
        bare = origin.make_copy(folder, "trunk") if flags.fresh else origin.make(folder)
        runner = Runner(folder, bare, environment, {"REGISTRY": address}, on_end=say)
        run = first_push(runner) if flags.fresh else push(runner)
        show(run)
        return int(set(run.results.values()) - {"success", "skipped"} != set())


def first_push(runner: Runner) -> Run:
    """Let the workflow answer the push that a new, private repository begins with."""
    clone = runner.folder / "clone"
    git(runner.folder, "clone", "--quiet", str(runner.origin), str(clone))
    event = events.push(clone, before=NOTHING, private=True)
    return runner.run(clone, "push", event)


def push(runner: Runner) -> Run:
    """Clone, commit, push, and let the workflow answer."""
    clone = runner.folder / "clone"
    git(runner.folder, "clone", "--quiet", str(runner.origin), str(clone))
    git(
        clone,
        *origin.IDENTITY,
        "commit",
        "--quiet",
        "--allow-empty",
        "--message",
        "test: a rehearsal",
    )
    git(clone, "push", "--quiet", "origin", "HEAD:main")
    return runner.run(clone, "push", events.push(clone))


def show(run: Run) -> None:
    """Print a table of the jobs, and the page of the run."""
    total = sum(job.ended - job.began for job in run.jobs.values())
    print(
        f"\n{'job':24} {'result':8} {'from':>6} {'to':>6} {'share':>6}   seconds after"
        " the push"
    )
    for job in run.jobs.values():
        share = (job.ended - job.began) / total
        times = (
            f"{job.began - run.began:6.0f} {job.ended - run.began:6.0f} {share:6.0%}"
        )
        print(f"{job.name:24} {job.result:8} {times}")
    if "publish" in run.jobs:
        print(
            f"published after {run.jobs['publish'].ended - run.began:.0f} s", end=", "
        )
    print(f"all done after {run.ended - run.began:.0f} s\n\n{run.summary}")


def say(job: Job) -> None:
    """Tell that a job has ended, and what it said if it failed."""
    print(f"{job.name}: {job.result} after {job.ended - job.began:.0f} s", flush=True)
    if job.result == "failure":
        print("\n".join(job.log[-40:]), flush=True)


def _flags() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="rehearse", description=console.first_line(__doc__)
    )
    parser.add_argument(
        *("--without",),
        action="append",
        default=[],
        metavar="SERVICE",
        help="leave a service out of the stack; can be repeated",
    )
    parser.add_argument(
        "--fresh",
        action="store_true",
        help=(
            "the first push of a new copy: one commit, another default branch, no"
            " history"
        ),
    )
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(console.run(main))
