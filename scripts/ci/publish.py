"""Publish the bundle without giving the token to the installed packages.

    python3 -m scripts.ci.publish [--dry-run]

`nox -s publish` installs packages and runs them. It publishes to a bare copy of the
branch on this machine, in an environment without the token. This program uses only the
standard library: it fetches the copy before, and pushes what landed in it afterwards.
If somebody else pushed in between, it starts again on the new tip.

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
from pipeline.publish.push_causes import Cause, classify
from pipeline.publish.push_errors import explain
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
# The longest wait for a server that fails temporarily, and after a lost race.
SECONDS = 30.0
RACE_SECONDS = 2.0


class Stopped(PipelineError):
    """Publishing ended without a commit, and the reason has been printed."""


class Publication:
    """One bundle on its way to a branch of the origin."""

    def __init__(self, origin: Origin, folder: Path, default: str, target: str) -> None:
        self.origin, self.target = origin, target
        self.tested = git(Path(), "rev-parse", "HEAD")
        self.copy = folder / "copy.git"
        self._branches = {default, target}
        git(folder, "init", "--quiet", "--bare", str(self.copy))
        # A separate branch starts at the default one, and pushes to the default one are
        # merged into it.
        git(self.copy, "symbolic-ref", "HEAD", f"refs/heads/{default}")

    def land(self) -> str:
        """Publish until it lands; return the commit.

        Raises:
            PipelineError: the origin refuses the push, cannot be reached, or other
                pushes land first each time.
            Stopped: `nox -s publish` failed, and printed why.
        """
        for attempt in range(ATTEMPTS):
            tip = self._fetch(attempt)
            landed = self._landed(tip)
            if landed:
                return landed
            self._run(attempt)
            commit = git(self.copy, "rev-parse", f"refs/heads/{self.target}")
            if commit == tip:
                # Another run with the same bundle has published it before.
                return git(Path(), "rev-parse", PUBLISHED)
            try:
                where = f"{commit}:refs/heads/{self.target}"
                self.origin.git(self.copy, "push", "--quiet", "--no-verify", where)
                return commit
            except GitError as error:
                refusal = f"origin rejected the push to {self.target}"
                self._stop_or_wait(error, attempt, refusal)
        raise PipelineError(
            f"gave up after {ATTEMPTS} attempts: other pushes to {self.target} landed"
            " first each time; nothing is lost, run the failed jobs again."
        )

    def try_out(self) -> None:
        """Make the commit that would be published, and push nothing.

        Raises:
            PipelineError: the origin cannot be reached.
            Stopped: `nox -s publish` failed, and printed why.
        """
        self._fetch(0)
        self._run(0, "--dry-run")

    def _fetch(self, attempt: int) -> str:
        """Update the copy from the origin; return the tip of the branch to publish to.

        The tip is empty before the first publication to a separate branch.
        """
        branches = [f"refs/heads/{branch}" for branch in sorted(self._branches)]
        try:
            listed = self.origin.git(self.copy, "ls-remote", "--heads", *branches)
            # A commit and a branch alternate.
            there = listed.split()[1::2]
            updates = [f"+{branch}:{branch}" for branch in there]
            self.origin.git(self.copy, "fetch", "--quiet", "--no-tags", *updates)
        except GitError as error:
            self._stop_or_wait(error, attempt, "origin cannot be read")
            return self._fetch(attempt + 1)
        target = f"refs/heads/{self.target}"
        if target not in there:
            return ""
        return git(self.copy, "rev-parse", target)

    def _landed(self, tip: str) -> str:
        """Return what an earlier attempt of this workflow run published, if any."""
        if not tip:
            return ""
        key = f"%(trailers:key={own_commits.WORKFLOW},valueonly)"
        log = ("log", f"--format=%H {key}", f"{self.tested}..{tip}")
        for line in git(self.copy, *log).splitlines():
            commit, _, workflow = line.partition(" ")
            if workflow and workflow == run_url():
                return commit
        return ""

    def _run(self, attempt: int, *more: str) -> None:
        """Run `nox -s publish` on the copy, without anything that opens the origin."""
        own = dict(os.environ)
        for name in SECRETS:
            own.pop(name, None)
        command = ["bash", str(ROOT / "scripts" / "nox.sh")]
        if attempt:
            # The packages are installed already.
            command.append("-R")
        command += ["-s", "publish", "--"]
        command += ["--remote", str(self.copy), "--branch", self.target]
        command += more
        done = subprocess.run(command, env=own, check=False)
        if done.returncode:
            raise Stopped("`nox -s publish` failed, see above.")

    def _stop_or_wait(self, error: GitError, attempt: int, doing: str) -> None:
        """Wait before the next attempt, if another one can succeed.

        Raises:
            PipelineError: it cannot, or there were enough.
        """
        cause = classify(error.output)
        if cause not in (Cause.RACE, Cause.TRANSIENT) or attempt == ATTEMPTS - 1:
            raise PipelineError(explain(error.output, doing)) from error
        message = f"attempt {attempt + 1}: {cause.value}, trying again"
        print(message, file=sys.stderr, flush=True)
        longest = SECONDS if cause is Cause.TRANSIENT else RACE_SECONDS
        doubled = 0.1 * 2 ** min(attempt, 10)
        time.sleep(random.uniform(0, min(longest, doubled)))


def ships(copy: Path, tested: str, commit: str) -> str:
    """Return why this run must not build the images of a published commit, if so."""
    files = git(copy, "ls-tree", "-r", "--name-only", commit, "deployment/models")
    if "manifest" not in files:
        return "No model is in service yet: there is nothing to build images of."
    others = own_commits.untested(copy, tested, commit)
    if not others:
        return ""
    return (
        f"The published commit contains {others[0][:9]} of another push, which this"
        " run has not tested: the images are left to that push's run."
    )


def tick(commit: str) -> None:
    """Give the published commit a status: no workflow run checks it.

    It is the pipeline's own commit, and starts none.
    """
    status = {
        "state": "success",
        "context": "Published",
        "description": "Linted, tested, trained, evaluated",
        "target_url": run_url(),
    }
    try:
        api.call(f"/statuses/{commit}", status)
    except (api.ApiError, api.MissingVariable) as error:
        print(f"::warning::The published commit has no status: {error}")


def main() -> int:
    """Publish, and write the outputs `commit`, `headline`, `ship` and `left`."""
    parser = argparse.ArgumentParser(
        prog="publish", description=console.first_line(__doc__)
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
            report(publication, commit)
    except Stopped as error:
        print(f"publish: {error}", file=sys.stderr)
        return 1
    except (PipelineError, api.ApiError, api.MissingVariable) as error:
        print(f"::error::{error}")
        put(failure=str(error))
        return 2 if isinstance(error, api.MissingVariable) else 1
    return 0


def report(publication: Publication, commit: str) -> None:
    """Write the outputs, and the report if an earlier attempt of this run published."""
    subject = git(publication.copy, "log", "-1", "--format=%s", commit)
    if not REPORT.is_file():
        text = f"Published before, as `{commit[:9]}`: {subject}\n"
        REPORT.parent.mkdir(exist_ok=True)
        REPORT.write_text(text, encoding="utf-8")
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
