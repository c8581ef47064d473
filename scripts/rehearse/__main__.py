"""Rehearse a push of this commit on this machine, from the push to the released images.

    nox -s rehearse                     one push
    nox -s rehearse -- --pushes 5       five that overlap, up to the published commits

GitHub is a bare repository and a folder; the workflow, Git, nox, Docker and the stack are real.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

from scripts.rehearse import events
from scripts.rehearse.act import Job, Run, Runner
from scripts.rehearse.docker import own_stack, registry
from scripts.stack.settings import ROOT

IDENTITY = ("-c", "user.name=Rehearsal", "-c", "user.email=rehearsal@example.org")


def main() -> int:
    """Push, print what each job did and took, and the page of the run; 0 if all went well."""
    flags = _flags()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="rehearsal-")))
        environment = {"NOX_ENVDIR": os.environ.get("NOX_ENVDIR") or str(ROOT / ".nox")}
        for name in ("SCIKIT_LEARN_DATA", "MLOPS_DATA_DIR"):
            environment |= {name: os.environ[name]} if name in os.environ else {}
        origin = folder / "origin.git"
        git(folder, "clone", "--quiet", "--bare", str(ROOT), str(origin))
        git(origin, "branch", "--force", "main", git(ROOT, "rev-parse", "HEAD"))
        git(origin, "symbolic-ref", "HEAD", "refs/heads/main")
        if flags.pushes > 1:
            return overlap(Runner(folder, origin, environment), flags.pushes)
        environment |= own_stack(folder, flags.without)
        address = stack.enter_context(registry(folder))
        run = push(Runner(folder, origin, environment, {"REGISTRY": address}, say), "clone")
        show(run)
        return int(set(run.results.values()) - {"success", "skipped"} != set())


def push(runner: Runner, name: str, *more: str) -> Run:
    """Clone, commit, push, and let the workflow answer."""
    clone = runner.folder / name
    git(runner.folder, "clone", "--quiet", str(runner.origin), str(clone))
    git(clone, *IDENTITY, "commit", "--quiet", "--allow-empty", "--message", f"test: push {name}")
    git(clone, "pull", "--quiet", "--rebase", "origin", "main")
    git(clone, "push", "--quiet", "origin", "HEAD:main")
    return runner.run(clone, "push", events.push(clone), *more)


def overlap(runner: Runner, count: int) -> int:
    """Push one after the other without waiting for an answer; return 0 if all are published."""
    before, began = _runs(runner.origin), time.monotonic()
    with ThreadPoolExecutor(count) as pool:
        answers = []
        for number in range(1, count + 1):
            answers.append(pool.submit(push, runner, f"clone-{number}", "--job", "publish"))
            time.sleep(2)
        runs = [answer.result() for answer in answers]
    published = [
        run.jobs["publish"].outputs.get("commit", "") for run in runs if "publish" in run.jobs
    ]
    landed = git(runner.origin, "log", "--format=%H", "main").split()
    recorded = _runs(runner.origin) - before
    for run in runs:
        print(run.results)
    print(
        f"{count} pushes, {len(set(published) & set(landed))} published commits on main, "
        f"{len(recorded)} runs recorded, {time.monotonic() - began:.0f} s in all"
    )
    return int(len(set(published) & set(landed)) != count)


def show(run: Run) -> None:
    """Print a table of the jobs, and the page of the run."""
    total = sum(job.ended - job.began for job in run.jobs.values())
    print(f"\n{'job':24} {'result':8} {'from':>6} {'to':>6} {'share':>6}   seconds after the push")
    for job in run.jobs.values():
        share = (job.ended - job.began) / total
        times = f"{job.began - run.began:6.0f} {job.ended - run.began:6.0f} {share:6.0%}"
        print(f"{job.name:24} {job.result:8} {times}")
    if "publish" in run.jobs:
        print(f"published after {run.jobs['publish'].ended - run.began:.0f} s", end=", ")
    print(f"all done after {run.ended - run.began:.0f} s\n\n{run.summary}")


def say(job: Job) -> None:
    """Tell that a job has ended, and what it said if it failed."""
    print(f"{job.name}: {job.result} after {job.ended - job.began:.0f} s", flush=True)
    if job.result == "failure":
        print("\n".join(job.log[-40:]), flush=True)


def _runs(origin: Path) -> set[str]:
    found = git(origin, "ls-tree", "-r", "--name-only", "main", "mlruns").split("\n")
    return {path for path in found if path.endswith("/run.json")}


def _flags() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="rehearse", description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "--pushes", type=int, default=1, metavar="N", help="that many, which overlap"
    )
    parser.add_argument(
        *("--without",),
        action="append",
        default=[],
        metavar="SERVICE",
        help="leave a service out of the stack; can be repeated",
    )
    return parser.parse_args()


def git(folder: Path, *arguments: str) -> str:
    """Run Git in a folder and return what it prints."""
    command = ["git", *arguments]
    return subprocess.run(
        command, cwd=folder, check=True, stdout=subprocess.PIPE, text=True
    ).stdout.strip()


if __name__ == "__main__":
    sys.exit(main())
