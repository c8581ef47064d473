"""Which jobs a push, a pull request or a dispatch needs; none for the pipeline's own commit."""

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from pipeline.git import git
from scripts import console
from scripts.ci.outputs import put

CHECKS = ("lint", "test", "test-windows", "train")
SHIPPING = ("images", "e2e", "verify")
PUBLISHING = ("publish", "release")
# `act` has no Windows, and the e2e tests would rehearse this workflow within itself.
NOT_REHEARSED = {"test-windows", "e2e"}
TRAILER = "Mlops-Publish"
# What `pipeline publish` writes.
OWNED = ("mlruns/", "deployment/models/", "data/", "results/")


@dataclass(frozen=True)
class Plan:
    """The jobs that are to run, and why, in a sentence."""

    jobs: tuple[str, ...]
    why: str


def plan(event: str, ref: str, own: bool) -> Plan:
    """Decide.

    Args:
        event: GitHub's name of what happened.
        ref: what it happened to, such as `refs/heads/main`.
        own: the newest commit was made by `pipeline publish`.
    """
    if event == "push" and own:
        return Plan((), "This is the pipeline's own commit: it is not answered with another run.")
    if event == "pull_request":
        return Plan(CHECKS + SHIPPING, "A pull request: all is tried, nothing is published.")
    if ref == "refs/heads/main":
        return Plan(CHECKS + PUBLISHING + SHIPPING, "main: what is retrained is published.")
    branch = ref.removeprefix("refs/heads/")
    return Plan(CHECKS, f"The branch {branch}: what is retrained is reported, not published.")


def made_by_publish() -> bool:
    """Tell whether HEAD is a commit of `pipeline publish`: by its trailer and by what it touches.

    Both, because a squashed pull request can carry the trailer of a commit that it contains.
    """
    trailer = git(Path(), "log", "-1", f"--format=%(trailers:key={TRAILER},valueonly)").strip()
    touched = git(Path(), "diff-tree", "--root", "--no-commit-id", "--name-only", "-r", "HEAD")
    return bool(trailer) and all(path.startswith(OWNED) for path in touched.splitlines())


def main() -> None:
    """Write the plan as the outputs `jobs` (a JSON list) and `why`."""
    event, ref = (os.environ.get(f"GITHUB_{name}", "") for name in ("EVENT_NAME", "REF"))
    made = plan(event, ref, made_by_publish())
    jobs = [job for job in made.jobs if "ACT" not in os.environ or job not in NOT_REHEARSED]
    put(jobs=json.dumps(jobs), why=made.why)
    print(f"{made.why} Jobs: {', '.join(jobs) or 'none'}.")


if __name__ == "__main__":
    sys.exit(console.run(main))
