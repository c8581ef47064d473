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
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from core.errors import PipelineError
from core.git import GitError, git, is_shallow
from pipeline.publish.push_causes import Cause, classify
from pipeline.publish.push_errors import explain
from pipeline.workflow import run_url
from scripts import console
from scripts.ci import api, own_commits
from scripts.ci.origin import SECRETS, Origin
from scripts.ci.outputs import put
from scripts.ci.published import write_report

ROOT = Path(__file__).resolve().parents[2]
ATTEMPTS = 60
# The ref of the commit that `pipeline publish` made last.
PUBLISHED = "refs/mlops/published"
# The filter of the workflow's checkout, which leaves nothing out, as Git writes it.
NO_FILTER = "blob:limit=1073741824"
# The longest wait for a server that fails temporarily, and after a lost race.
SECONDS = 30.0
RACE_SECONDS = 2.0


class Stopped(PipelineError):
    """Publishing ended without a commit, and the reason has been printed."""


class Publication:
    """One bundle on its way to a branch of the origin."""

    def __init__(self, origin: Origin, folder: Path, default: str, target: str) -> None:
        self.origin = origin
        self.target = target
        self.target_ref = f"refs/heads/{target}"
        self.tested = git(Path(), "rev-parse", "HEAD")
        self.copy = folder / "copy.git"
        self._branches = {default, target}
        git(folder, "init", "--quiet", "--bare", str(self.copy))
        # A separate branch starts at the default one, and pushes to the default one are
        # merged into it.
        git(self.copy, "symbolic-ref", "HEAD", f"refs/heads/{default}")
        if _has_everything():
            self._borrow_objects()

    def land(self) -> str:
        """Publish until it lands; return the commit.

        Raises:
            PipelineError: the origin refuses the push, cannot be reached, or other
                pushes land first each time.
            Stopped: `nox -s publish` failed, and printed why.
        """
        for attempt in range(ATTEMPTS):
            tip = self.fetch(attempt)
            landed = self._landed(tip)
            if landed:
                return landed
            self._run(attempt)
            commit = git(self.copy, "rev-parse", self.target_ref)
            if commit == tip:
                # Another run with the same bundle has published it before.
                return git(Path(), "rev-parse", PUBLISHED)
            update = f"{commit}:{self.target_ref}"
            try:
                self.origin.git(self.copy, "push", "--quiet", "--no-verify", update)
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
        self.fetch(0)
        self._run(0, "--dry-run")

    def fetch(self, attempt: int) -> str:
        """Update the copy from the origin; return the tip of the branch to publish to.

        The tip is empty before the first publication to a separate branch.
        """
        branches = [f"refs/heads/{branch}" for branch in sorted(self._branches)]
        try:
            listed = self.origin.git(self.copy, "ls-remote", "--heads", *branches)
            # A commit and a branch alternate.
            existing = listed.split()[1::2]
            updates = [f"+{branch}:{branch}" for branch in existing]
            self.origin.git(self.copy, "fetch", "--quiet", "--no-tags", *updates)
        except GitError as error:
            self._stop_or_wait(error, attempt, "origin cannot be read")
            return self.fetch(attempt + 1)
        if self.target_ref not in existing:
            return ""
        return git(self.copy, "rev-parse", self.target_ref)

    def _borrow_objects(self) -> None:
        """Let the copy use the objects of the checkout, and fetch only what is new."""
        path = ("--path-format=absolute", "--git-path", "objects")
        objects = git(Path(), "rev-parse", *path)
        alternates = self.copy / "objects" / "info" / "alternates"
        alternates.write_bytes(f"{objects}\n".encode())

    def _landed(self, tip: str) -> str:
        """Return what an earlier attempt of this workflow run published, if any."""
        if not tip:
            return ""
        trailer = f"%(trailers:key={own_commits.WORKFLOW},valueonly)"
        commits = f"{self.tested}..{tip}"
        log = git(self.copy, "log", f"--format=%H {trailer}", commits)
        for line in log.splitlines():
            commit, _, workflow = line.partition(" ")
            if workflow and workflow == run_url():
                return commit
        return ""

    def _run(self, attempt: int, *more: str) -> None:
        """Run `nox -s publish` on the copy, without access to the origin."""
        environment = dict(os.environ)
        for name in SECRETS:
            environment.pop(name, None)
        command = ["bash", str(ROOT / "scripts" / "nox.sh")]
        if attempt:
            # The packages are installed already.
            command.append("-R")
        command += [
            "-s",
            "publish",
            "--",
            "--remote",
            str(self.copy),
            "--branch",
            self.target,
        ]
        command += more
        done = subprocess.run(command, env=environment, check=False)
        if done.returncode:
            raise Stopped("`nox -s publish` failed, see above.")

    def _stop_or_wait(self, error: GitError, attempt: int, doing: str) -> None:
        """Wait before the next attempt, if another one can succeed.

        Raises:
            PipelineError: it cannot, or this was the last attempt.
        """
        cause = classify(error.output)
        is_temporary = cause in (Cause.RACE, Cause.TRANSIENT)
        is_last = attempt == ATTEMPTS - 1
        if is_last or not is_temporary:
            raise PipelineError(explain(error.output, doing)) from error
        message = f"attempt {attempt + 1}: {cause.value}, trying again"
        print(message, file=sys.stderr, flush=True)
        longest = RACE_SECONDS
        if cause is Cause.TRANSIENT:
            longest = SECONDS
        doubled = 0.1 * 2 ** min(attempt, 10)
        limit = min(longest, doubled)
        time.sleep(random.uniform(0, limit))


def _has_everything() -> bool:
    """Return whether the checkout has every object of its commits."""
    if is_shallow(Path()):
        return False
    filters = ("config", "--get-regexp", r"^remote\..*\.partialclonefilter$")
    try:
        listed = git(Path(), *filters)
    except GitError:
        return True  # it is no partial clone
    return all(line.endswith(f" {NO_FILTER}") for line in listed.splitlines())


def main() -> int:
    """Publish, and write the outputs `commit`, `headline`, `ship` and `left`."""
    parser = argparse.ArgumentParser(
        prog="publish",
        description=console.first_line(__doc__),
        allow_abbrev=False,
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
            write_report(publication.copy, publication.tested, commit)
    except Stopped as error:
        print(f"publish: {error}", file=sys.stderr)
        return 1
    except (PipelineError, api.ApiError, api.MissingVariable) as error:
        print(f"::error::{error}")
        put(failure=str(error))
        return 2 if isinstance(error, api.MissingVariable) else 1
    return 0


if __name__ == "__main__":
    sys.exit(console.run(main))
