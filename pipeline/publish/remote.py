"""Fetches from and pushes to a remote, and tries again if the network fails."""

import random
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from core.errors import PipelineError
from core.git import GitError, git, succeeds
from core.redact import redact
from pipeline.publish import push_errors
from pipeline.publish.push_causes import Cause, classify
from pipeline.publish.push_errors import explain
from pipeline.publish.worktree import git_in

# Seconds between attempts if the server or the network fails; a minute in all.
WAITS = (2.0, 4.0, 8.0, 16.0, 32.0)
_HEAD = "ref: refs/heads/"
# None of the user's settings for pushes applies.
_PUSH = [
    "push",
    "--quiet",
    "--no-verify",
    "--no-signed",
    "--no-follow-tags",
    "--recurse-submodules=no",
]


class Remote:
    """A remote of a clone, by name or address, as one publish uses it."""

    def __init__(self, tree: Path, name: str, checkout: Path) -> None:
        """Use a remote.

        Args:
            tree: the folder in which Git runs, the worktree of the publish.
            name: the remote, by its name or address.
            checkout: the user's own checkout, to which a relative address refers.
        """
        self.tree = tree
        self.name = name
        self.shown = redact(name)  # an address may hold a password
        self._settings = _relative_addresses(checkout, name)
        self._waits: Iterator[float] = iter(WAITS)

    def default_branch(self) -> str | None:
        """Return the name of the remote's default branch, or None if it has no commit.

        Raises:
            PipelineError: the remote cannot be reached.
        """
        listing = self._with_retries("ls-remote", "--symref", self.name, "HEAD")
        for line in listing.splitlines():
            if line.startswith(_HEAD):
                return line.removeprefix(_HEAD).partition("\t")[0]
        return None

    def fetch(self, branch: str) -> str | None:
        """Fetch a branch with its whole history, and return its tip.

        No ref of the user's changes. Returns None if the remote has no such branch.

        Raises:
            PipelineError: the remote cannot be reached.
        """
        shallow = git(self.tree, "rev-parse", "--is-shallow-repository") == "true"
        options = ["--quiet", "--no-tags", "--refmap=", "--no-recurse-submodules"]
        if shallow:
            options.append("--unshallow")
        try:
            self._with_retries("fetch", *options, self.name, f"refs/heads/{branch}")
        except _NoBranch:
            return None
        return git(self.tree, "rev-parse", "FETCH_HEAD")

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
        git_in(self.tree, *arguments, variables=self._settings)

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
                return git(self.tree, *arguments, variables=self._settings)
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


def _relative_addresses(checkout: Path, name: str) -> dict[str, str]:
    """Return settings with which a relative path means the same in every folder.

    They are variables, because `git -c` would split a path at a "=". They name a URI,
    because a Git that was not built for Windows takes the `C:` of a path for a host.
    """
    settings: dict[str, str] = {}
    count = 0
    for address in _addresses(checkout, name):
        if not _is_relative(checkout, address):
            continue
        uri = (checkout / address).resolve().as_uri()
        settings[f"GIT_CONFIG_KEY_{count}"] = f"url.{uri}.insteadOf"
        settings[f"GIT_CONFIG_VALUE_{count}"] = address
        count += 1
    settings["GIT_CONFIG_COUNT"] = str(count)
    return settings


def _addresses(checkout: Path, name: str) -> list[str]:
    """Return the addresses that a remote is fetched from and pushed to."""
    if not succeeds(checkout, "remote", "get-url", name):
        return [name]
    fetched = git(checkout, "remote", "get-url", "--all", name)
    pushed = git(checkout, "remote", "get-url", "--all", "--push", name)
    addresses = fetched.splitlines() + pushed.splitlines()
    return sorted(set(addresses))


def _is_relative(checkout: Path, address: str) -> bool:
    """Return whether an address is a path that starts at the checkout's folder."""
    if Path(address).is_absolute():
        return False
    return (checkout / address).is_dir()


class _NoBranch(Exception):
    """The remote has no such branch."""
