"""Publishes the bundle without showing the token to what is installed.

    python3 -m scripts.ci.publish [--dry-run]

`nox -s publish` installs packages and runs them. It gets a bare copy of the branch on
this machine to publish to, and an environment without the token. This program, of the
standard library alone, fetches the copy before and pushes what landed in it after. If
somebody else pushed in between, all of it begins again on the new tip.

From the environment: BRANCH (the default branch), PUBLISH_BRANCH (another one to
publish to, or empty), GITHUB_TOKEN, PUBLISH_KEY (a deploy key that pushes in the
token's place, or empty).
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from core.errors import PipelineError
from core.git import GitError, git
from pipeline.publish.push_errors import Cause, classify, explain
from pipeline.workflow import run_url
from scripts import console
from scripts.ci import api, own_commits
from scripts.ci.origin import SECRETS, Origin
from scripts.ci.outputs import put

ROOT = Path(__file__).resolve().parents[2]
REPORT = Path("build/report.md")
ATTEMPTS = 60
# Where `pipeline publish` keeps what it made.
PUBLISHED = "refs/mlops/published"
SECONDS = 30  # the longest wait for a server that fails for the moment


class Stopped(PipelineError):
    """Publishing ended without a commit, and everything has been said."""


class Publication:
    """One bundle on its way to a branch of the origin."""

    def __init__(self, origin: Origin, folder: Path, default: str, target: str) -> None:
        self.origin, self.target = origin, target
        self.tested = git(Path(), "rev-parse", "HEAD")
        self.copy = folder / "copy.git"
        self._branches = {default, target}
        git(folder, "init", "--quiet", "--bare", str(self.copy))
        # A branch of its own begins at the default one, and what is pushed there is
        # merged into it.
        git(self.copy, "symbolic-ref", "HEAD", f"refs/heads/{default}")

    def land(self) -> str:
        """Publish until it lands; return the commit.

        Raises:
            PipelineError: the origin refuses the push, cannot be reached, or is always
            faster. Stopped: `nox -s publish` failed, and has said why.
        """
        for attempt in range(ATTEMPTS):
            tip = self._fetch(attempt)
            if tip and (commit := self._landed(tip)):
                return commit
            self._run(attempt)
            made = git(self.copy, "rev-parse", f"refs/heads/{self.target}")
            if made == tip:  # it was there before, by another run with the same bundle
                return git(Path(), "rev-parse", PUBLISHED)
            try:
                where = f"{made}:refs/heads/{self.target}"
                self.origin.git(self.copy, "push", "--quiet", "--no-verify", where)
                return made
            except GitError as error:
                self._stop_or_wait(
                    error, attempt, f"origin refuses pushes to {self.target}"
                )
        raise PipelineError(
            f"gave up after {ATTEMPTS} attempts: other pushes to {self.target} landed"
            " first each time; nothing is lost, run the failed jobs again."
        )

    def try_out(self) -> None:
        """Make the commit that would be published, and push nothing.

        Raises:
            PipelineError: the origin cannot be reached.
            Stopped: `nox -s publish` failed, and has said why.
        """
        self._fetch(0)
        self._run(0, "--dry-run")

    def _fetch(self, attempt: int) -> str:
        """Make the copy what the origin is now; return the tip of the branch to publish
        to.

        It is empty before the first publication to a branch of its own.
        """
        listed = [f"refs/heads/{branch}" for branch in sorted(self._branches)]
        try:
            there = self.origin.git(self.copy, "ls-remote", "--heads", *listed).split()[
                1::2
            ]
            self.origin.git(
                self.copy,
                "fetch",
                "--quiet",
                "--no-tags",
                *(f"+{r}:{r}" for r in there),
            )
        except GitError as error:
            self._stop_or_wait(error, attempt, "origin cannot be read")
            return self._fetch(attempt + 1)
        target = f"refs/heads/{self.target}"
        return git(self.copy, "rev-parse", target) if target in there else ""

    def _landed(self, tip: str) -> str | None:
        """Return the commit that an earlier attempt of this workflow run has published."""
        key = f"%(trailers:key={own_commits.WORKFLOW},valueonly)"
        log = ("log", f"--format=%H {key}", f"{self.tested}..{tip}")
        for line in git(self.copy, *log).splitlines():
            commit, _, workflow = line.partition(" ")
            if workflow and workflow == run_url():
                return commit
        return None

    def _run(self, attempt: int, *more: str) -> None:
        """Run `nox -s publish` on the copy, without anything that opens the origin."""
        own = {name: value for name, value in os.environ.items() if name not in SECRETS}
        again = ["-R"] if attempt else []  # the packages are installed
        command = [
            "bash",
            str(ROOT / "scripts" / "nox.sh"),
            *again,
            "-s",
            "publish",
            "--",
        ]
        where = ["--remote", str(self.copy), "--branch", self.target]
        done = subprocess.run([*command, *where, *more], env=own, check=False)
        if done.returncode:
            raise Stopped("`nox -s publish` failed, see above.")

    def _stop_or_wait(self, error: GitError, attempt: int, doing: str) -> None:
        """Wait before the next attempt, if one can mend it.

        Raises:
            PipelineError: none can, or there were enough.
        """
        cause = classify(error.output)
        if cause not in (Cause.RACE, Cause.TRANSIENT) or attempt == ATTEMPTS - 1:
            raise PipelineError(explain(error.output, doing)) from error
        print(
            f"attempt {attempt + 1}: {cause.value}, once more",
            file=sys.stderr,
            flush=True,
        )
        longest = SECONDS if cause is Cause.TRANSIENT else 2.0
        time.sleep(random.uniform(0, min(longest, 0.1 * 2 ** min(attempt, 10))))


def ships(copy: Path, tested: str, commit: str) -> str:
    """Return why the images of a published commit must not be built by this run, "" if
    they may.
    """
    if not git(copy, "ls-tree", "-r", "--name-only", commit, "deployment/models").count(
        "manifest"
    ):
        return "No model is in service yet: there is nothing to build images of."
    if others := own_commits.untested(copy, tested, commit):
        return (
            f"The published commit holds {others[0][:9]} of another push, which this"
            " run has not tested: the images are left to that push's run."
        )
    return ""


def tick(commit: str) -> None:
    """Give the published commit a status: as the pipeline's own it has no run, and no
    check.
    """
    try:
        api.call(
            f"/statuses/{commit}",
            {
                "state": "success",
                "context": "Published",
                "description": "Linted, tested, trained, judged",
                "target_url": run_url(),
            },
        )
    except (api.ApiError, api.MissingVariable) as error:
        print(f"::warning::The published commit has no status: {error}")


def main() -> int:
    """Publish, and write the outputs `commit`, `headline`, `ship` and `left`."""
    parser = argparse.ArgumentParser(
        prog="publish", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--dry-run", action="store_true", help="push nothing")
    dry_run = parser.parse_args().dry_run
    try:
        default = api.needed("BRANCH")
        target = os.environ.get("PUBLISH_BRANCH") or default
        with tempfile.TemporaryDirectory(prefix="publish-") as folder:
            origin = Origin.read(Path(folder))
            publication = Publication(origin, Path(folder), default, target)
            if dry_run:
                publication.try_out()
                return 0
            commit = publication.land()
            _tell(publication, commit)
    except Stopped as error:
        print(f"publish: {error}", file=sys.stderr)
        return 1
    except (PipelineError, api.ApiError, api.MissingVariable) as error:
        print(f"::error::{error}")
        put(failure=str(error))
        return 2 if isinstance(error, api.MissingVariable) else 1
    return 0


def _tell(publication: Publication, commit: str) -> None:
    subject = git(publication.copy, "log", "-1", "--format=%s", commit)
    if (
        not REPORT.is_file()
    ):  # an earlier attempt of this run published, and has told of it
        REPORT.parent.mkdir(exist_ok=True)
        REPORT.write_text(
            f"Published before, as `{commit[:9]}`: {subject}\n", encoding="utf-8"
        )
    left = ships(publication.copy, publication.tested, commit)
    put(
        commit=commit,
        headline=subject.partition(": ")[2],
        ship=json.dumps(not left),
        left=left,
    )
    if os.environ.get("GITHUB_ACTIONS"):
        tick(commit)


if __name__ == "__main__":
    sys.exit(console.run(main))
