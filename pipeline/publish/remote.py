"""Fetching from and pushing to a remote, patient with a network that fails for the
moment.
"""

import random
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from core.errors import PipelineError
from core.git import GitError, git, succeeds
from core.redact import redact
from pipeline.publish.push_errors import Cause, classify, explain, words
from pipeline.publish.worktree import git_in

# Seconds between attempts when the server or the network fails; a minute in all.
WAITS = (2.0, 4.0, 8.0, 16.0, 32.0)


class Remote:
    """A remote of a clone, by name or address, as one publish works with it."""

    def __init__(self, tree: Path, name: str, checkout: Path) -> None:
        """Work with a remote.

        Args:
            tree: where Git runs, the publish's worktree.
            name: the remote, by its name or address.
            checkout: the user's own checkout, from which a relative address is seen.
        """
        self.tree, self.name = tree, name
        self.shown = redact(name)  # an address may hold a password
        self._settings = _relative_addresses(checkout, name)
        self._waits: Iterator[float] = iter(WAITS)

    def default_branch(self) -> str | None:
        """Return the name of the remote's default branch, or None if it has no commit
        there.

        Raises:
            PipelineError: the remote cannot be reached.
        """
        for line in self._patiently(
            "ls-remote", "--symref", self.name, "HEAD"
        ).splitlines():
            if line.startswith("ref: refs/heads/"):
                return line.removeprefix("ref: refs/heads/").partition("\t")[0]
        return None

    def fetch(self, branch: str) -> str | None:
        """Fetch a branch with its whole history and return its tip, changing no ref of
        the user's.

        Returns None if the remote has no such branch.

        Raises:
            PipelineError: the remote cannot be reached.
        """
        shallow = git(self.tree, "rev-parse", "--is-shallow-repository") == "true"
        options = ["--quiet", "--no-tags", "--refmap=", "--no-recurse-submodules"]
        options += ["--unshallow"] if shallow else []
        try:
            self._patiently("fetch", *options, self.name, f"refs/heads/{branch}")
        except _NoBranch:
            return None
        return git(self.tree, "rev-parse", "FETCH_HEAD")

    def push(self, commit: str, branch: str) -> None:
        """Push one commit to a branch, and nothing else, whatever the user has set for
        pushes.

        Raises:
            GitError: the push failed; `answer` tells what to make of it.
        """
        settings = ["push.pushOption="]
        # Not for an address: Git would take a "=" in it for the end of the setting's
        # name.
        settings += [f"remote.{self.name}.mirror=false"] if "=" not in self.name else []
        options = ("--quiet", "--no-verify", "--no-signed", "--no-follow-tags")
        git_in(
            self.tree,
            *(part for setting in settings for part in ("-c", setting)),
            *("push", *options, "--recurse-submodules=no", self.name),
            f"{commit}:refs/heads/{branch}",
            variables=self._settings,
        )

    def answer(self, error: GitError, branch: str, tip: str | None) -> None:
        """Return if another attempt may succeed after a failed push, having waited
        where it helps.

        Args:
            tip: what the commit that was pushed is based on.

        Raises:
            PipelineError: no attempt will; the reason and what to do.
        """
        cause = classify(error.output)
        if cause is Cause.TRANSIENT:
            self._wait(error)
        # Servers have many words for a lost race: if the branch has moved it was one.
        elif cause is not Cause.RACE and (
            cause not in (Cause.RULE, Cause.UNKNOWN) or self.fetch(branch) == tip
        ):
            raise PipelineError(
                explain(error.output, f"{self.shown} refuses pushes to {branch}")
            ) from error

    def _patiently(self, *arguments: str) -> str:
        while True:
            try:
                return git(self.tree, *arguments, variables=self._settings)
            except GitError as error:
                cause = classify(error.output)
                if cause is Cause.NO_BRANCH:
                    raise _NoBranch from error
                if cause is not Cause.TRANSIENT:
                    doing = f"the remote {self.shown} cannot be reached"
                    raise PipelineError(explain(error.output, doing)) from error
                self._wait(error)

    def _wait(self, error: GitError) -> None:
        """Wait before the next attempt, and say so; give up after the last."""
        seconds = next(self._waits, None)
        if seconds is None:
            tried = (
                f"the remote {self.shown} cannot be reached, tried {len(WAITS) + 1}"
                " times"
            )
            raise PipelineError(explain(error.output, tried)) from error
        said = f"{self.shown} does not answer ({words(error.output)})"
        print(
            f"{said}: trying again in {seconds:g} seconds.", file=sys.stderr, flush=True
        )
        time.sleep(seconds * random.uniform(0.75, 1.25))


def _relative_addresses(checkout: Path, name: str) -> dict[str, str]:
    """Return settings by which a relative path leads from any folder to where it leads
    here.

    They are variables, since a path may hold a "=", at which `git -c` would take it
    apart. They name a URI: a Git that was not built for Windows takes the `C:` of a
    path for a host.
    """
    relative = [
        path for path in _addresses(checkout, name) if _is_relative(checkout, path)
    ]
    settings: dict[str, str] = {}
    for number, address in enumerate(relative):
        settings[f"GIT_CONFIG_KEY_{number}"] = (
            f"url.{(checkout / address).resolve().as_uri()}.insteadOf"
        )
        settings[f"GIT_CONFIG_VALUE_{number}"] = address
    return settings | {"GIT_CONFIG_COUNT": str(len(relative))}


def _addresses(checkout: Path, name: str) -> list[str]:
    """Return where a remote is fetched from and pushed to; of an address, itself."""
    if not succeeds(checkout, "remote", "get-url", name):
        return [name]
    fetched = git(checkout, "remote", "get-url", "--all", name).splitlines()
    pushed = git(checkout, "remote", "get-url", "--all", "--push", name).splitlines()
    return sorted({*fetched, *pushed})


def _is_relative(checkout: Path, address: str) -> bool:
    """Tell whether an address is a path that starts at the checkout's folder."""
    return not Path(address).is_absolute() and (checkout / address).is_dir()


class _NoBranch(Exception):
    """The remote has no such branch."""
