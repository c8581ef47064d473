"""Fetches from and pushes to a remote, and tries again if the network fails."""

import random
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from core.errors import PipelineError
from core.git import GitError, git, is_shallow
from core.redact import redact_address
from pipeline.publish import push_errors
from pipeline.publish.push_causes import Cause, classify
from pipeline.publish.push_errors import explain

# Seconds between attempts if the server or the network fails; a minute in all.
WAITS = (2.0, 4.0, 8.0, 16.0, 32.0)
# Lists what the HEAD of a repository leads to; the address and HEAD follow.
LIST_HEAD = ("ls-remote", "--symref")
_HEAD = "ref: refs/heads/"
# The branch as it was last fetched. Git's own FETCH_HEAD is the user's.
FETCHED = "refs/mlops/fetched"
_FETCH = [
    "fetch",
    "--quiet",
    "--no-tags",
    "--no-prune",
    "--no-write-fetch-head",
    "--refmap=",
    "--no-recurse-submodules",
]
# How many more commits a shallow clone fetches each time, if it holds too few.
_DEEPER = (50, 500, 5000)
# None of the user's settings for pushes applies.
_PUSH = [
    "push",
    "--quiet",
    "--no-verify",
    "--no-signed",
    "--no-follow-tags",
    "--recurse-submodules=no",
]


def head_branch(listing: str) -> str | None:
    """Return the branch that HEAD names in what `LIST_HEAD` prints; None if it is empty."""
    for line in listing.splitlines():
        if line.startswith(_HEAD):
            return line.removeprefix(_HEAD).partition("\t")[0]
    return None


class Remote:
    """A remote of a clone, by name or address, as one publish uses it."""

    def __init__(self, root: Path, name: str) -> None:
        """Use a remote.

        Args:
            root: the user's checkout, in which Git runs.
            name: the remote, by its name or address.
        """
        self.root = root
        self.name = name
        self.shown = redact_address(name)  # an address may hold a password
        self._waits: Iterator[float] = iter(WAITS)

    def default_branch(self) -> str | None:
        """Return the name of the remote's default branch, or None if it has no commit.

        Raises:
            PipelineError: the remote cannot be reached.
        """
        return head_branch(self._with_retries(*LIST_HEAD, self.name, "HEAD"))

    def fetch(self, branch: str) -> str | None:
        """Fetch a branch and return its tip.

        No branch of the user's changes, and a shallow clone stays shallow. Returns None
        if the remote has no such branch.

        Raises:
            PipelineError: the remote cannot be reached.
        """
        try:
            self._fetch(branch)
        except _NoBranch:
            return None
        return git(self.root, "rev-parse", FETCHED)

    def deepen(self, branch: str, is_enough: Callable[[], bool]) -> bool:
        """Fetch more of a shallow clone's past until something is found in it.

        Returns whether it was found. A clone that knows enough fetches nothing.

        Args:
            is_enough: returns whether the commits that the clone has are enough.

        Raises:
            PipelineError: the remote cannot be reached.
        """
        for commits in _DEEPER:
            if is_enough():
                return True
            if not is_shallow(self.root):
                return False
            self._fetch(branch, f"--deepen={commits}")
        return is_enough()

    def complete(self, branch: str) -> None:
        """Fetch the whole past of a branch, if this clone is shallow.

        Raises:
            PipelineError: the remote cannot be reached.
        """
        if is_shallow(self.root):
            self._fetch(branch, "--unshallow")

    def _fetch(self, branch: str, *options: str) -> None:
        update = f"+refs/heads/{branch}:{FETCHED}"
        self._with_retries(*_FETCH, *options, self.name, update)

    def push(self, commit: str, branch: str) -> None:
        """Push one commit to a branch and nothing else, whatever the user's settings.

        Raises:
            GitError: the push failed.
        """
        settings = ["-c", "push.pushOption="]
        # Git would take a "=" in an address for the end of the setting's name.
        if "=" not in self.name:
            settings += ["-c", f"remote.{self.name}.mirror=false"]
        target = f"{commit}:refs/heads/{branch}"
        arguments = [*settings, *_PUSH, self.name, target]
        git(self.root, *arguments)

    def raise_unless_worth_another_attempt(
        self, error: GitError, branch: str, tip: str | None
    ) -> None:
        """Return after a failed push if another one may succeed; wait if that helps.

        Args:
            tip: the tip that the pushed commit is based on.

        Raises:
            PipelineError: none will succeed; it has the reason and what to do.
        """
        cause = classify(error.output)
        if cause is Cause.TRANSIENT:
            self._wait(error)
            return
        if cause is Cause.RACE:
            return
        # Servers report a lost race in many ways. If the branch has moved, it was one.
        may_be_race = cause in (Cause.RULE, Cause.UNKNOWN)
        if may_be_race and self.fetch(branch) != tip:
            return
        failure = f"{self.shown} rejected the push to {branch}"
        raise PipelineError(explain(error.output, failure)) from error

    def _with_retries(self, *arguments: str) -> str:
        while True:
            try:
                return git(self.root, *arguments)
            except GitError as error:
                cause = classify(error.output)
                if cause is Cause.NO_BRANCH:
                    raise _NoBranch from error
                if cause is not Cause.TRANSIENT:
                    failure = f"cannot fetch from the remote {self.shown}"
                    raise PipelineError(explain(error.output, failure)) from error
                self._wait(error)

    def _wait(self, error: GitError) -> None:
        """Wait before the next attempt, with a message; give up after the last one."""
        seconds = next(self._waits, None)
        if seconds is None:
            attempts = len(WAITS) + 1
            failure = f"the remote {self.shown} failed in {attempts} attempts"
            raise PipelineError(explain(error.output, failure)) from error
        reason = push_errors.message(error.output)
        notice = (
            f"the remote {self.shown} failed ({reason}): trying again in"
            f" {seconds:g} seconds."
        )
        print(notice, file=sys.stderr, flush=True)
        time.sleep(seconds * random.uniform(0.75, 1.25))


class _NoBranch(Exception):
    """The remote has no such branch."""
