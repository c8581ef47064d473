"""Landing a change on a branch that others push to: take a fresh tip, make the change, push, again.

What is pushed is a function of the tip, so nothing is ever merged or rebased, and the user's own
work tree is never touched: all of it happens in a worktree below `build/`.
"""

import random
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from pipeline.errors import PipelineError
from pipeline.git import GitError, git, succeeds
from pipeline.repo import Repo

ATTEMPTS = 60
OWNED = ("mlruns", "deployment/models", "data", "results")
# The newest commit that was made here, also by a dry run: `git show refs/mlops/published`.
PUBLISHED = "refs/mlops/published"
_WORKTREE = "publish-"
# Git's and the server's words for "somebody was faster", which the next attempt answers.
_RACE = ("fetch first", "non-fast-forward", "cannot lock ref", "failed to update ref", "stale info")
_IDENTITY = ("-c", "user.name=mlops-bot", "-c", "user.email=mlops-bot@users.noreply.github.com")


@dataclass(frozen=True)
class Change:
    """What one attempt did to its tip; `commit` names it when it had landed before."""

    message: str
    commit: str | None = None


def land(
    repo: Repo, remote: str, branch: str, change: Callable[[Repo], Change], dry_run: bool = False
) -> tuple[str, str]:
    """Apply `change` to the branch's tip and push, until it lands; return commit and message.

    `change` is called with a checkout of the tip that is its own to write in. A dry run makes the
    commit and pushes nothing.

    Raises:
        PipelineError: another publish runs in this clone, the remote cannot be reached, it rejects
            the push for another reason than a race, or the race is lost too often.
    """
    with _worktree(repo) as tree:
        for attempt in range(ATTEMPTS):
            tip = fetch(tree, remote, branch)
            git(tree, "reset", "--hard", "--quiet", tip)
            git(tree, "clean", "-ffdxq")
            done = change(Repo.open(tree))
            commit = done.commit or _commit(tree, done.message)
            git(tree, "update-ref", PUBLISHED, commit)
            if done.commit or dry_run:
                return commit, done.message
            try:
                git(tree, "push", "--quiet", "--no-verify", remote, f"{commit}:refs/heads/{branch}")
                return commit, done.message
            except GitError as error:
                race = any(words in error.output for words in _RACE)
                if not race and fetch(tree, remote, branch) == tip:
                    raise _rejected(remote, branch, error) from error
            time.sleep(random.uniform(0, min(2.0, 0.1 * (attempt + 1))))
    raise PipelineError(
        f"gave up after {ATTEMPTS} attempts: other pushes to {branch} landed first each time; "
        "nothing is lost, run the command again."
    )


def fetch(tree: Path, remote: str, branch: str) -> str:
    """Fetch a branch with its whole history and return its tip, changing no ref of the user's."""
    shallow = git(tree, "rev-parse", "--is-shallow-repository") == "true"
    options = ["--quiet", "--no-tags", "--refmap=", *(["--unshallow"] if shallow else [])]
    try:
        git(tree, "fetch", *options, remote, f"refs/heads/{branch}")
    except GitError as error:
        if "couldn't find remote ref" in error.output:
            raise PipelineError(
                f"{remote} has no branch {branch}: push it first, or name another with --branch."
            ) from error
        raise PipelineError(
            f"the remote {remote} cannot be reached ({error}): check `git remote -v`, the network "
            "and your access, then run the command again; nothing is lost."
        ) from error
    return git(tree, "rev-parse", "FETCH_HEAD")


def require_ancestor(tree: Path, commit: str, what: str) -> None:
    """Refuse to publish what was made from a commit that the branch does not hold.

    Raises:
        PipelineError: the commit was never pushed, or the remote rewrote its history.
    """
    if not succeeds(tree, "merge-base", "--is-ancestor", commit, "HEAD"):
        raise PipelineError(
            f"{what} was made from commit {commit[:12]}, which the branch does not hold: push that "
            "commit first, or, if the remote rewrote its history, reset to it and train again."
        )


@contextmanager
def _worktree(repo: Repo) -> Iterator[Path]:
    common = Path(git(repo.root, "rev-parse", "--path-format=absolute", "--git-common-dir"))
    try:
        with FileLock(common / "pipeline-publish.lock", timeout=0):
            _remove_worktrees(repo)
            tree = Path(tempfile.mkdtemp(prefix=_WORKTREE, dir=repo.build))
            try:
                git(repo.root, "worktree", "add", "--quiet", "--detach", str(tree), "HEAD")
                yield tree
            finally:
                _remove_worktrees(repo)
    except Timeout as error:
        raise PipelineError(
            "another publish from this clone is under way: wait for it, or use a second clone."
        ) from error


def _remove_worktrees(repo: Repo) -> None:
    """Remove this publish's worktree, and those that a killed one left behind."""
    repo.build.mkdir(exist_ok=True)
    for tree in repo.build.glob(f"{_WORKTREE}*"):
        # A killed publish's Git may still write there; what cannot go now goes next time.
        shutil.rmtree(tree, ignore_errors=True)
    git(repo.root, "worktree", "prune")


def _commit(tree: Path, message: str) -> str:
    owned = [path for path in OWNED if (tree / path).exists()]
    git(tree, "add", "--all", "--force", "--", *owned)
    identity = () if succeeds(tree, "config", "user.email") else _IDENTITY
    git(tree, *identity, "commit", "--quiet", "--no-verify", "--file=-", stdin=message)
    return git(tree, "rev-parse", "HEAD")


def _rejected(remote: str, branch: str, error: GitError) -> PipelineError:
    said = [line.split(":", 1)[1] for line in error.output.splitlines() if "remote:" in line]
    words = " ".join(" ".join(said).split()) or str(error)
    return PipelineError(
        f"{remote} refuses pushes to {branch} ({words}): a branch protection or ruleset is on "
        "(Settings > Rules > Rulesets, or Settings > Branches). Three ways out: keep only the "
        "rules 'Restrict deletions' and 'Block force pushes' for the branch; publish to a branch "
        "of its own with --branch; or push with a deploy key that the ruleset's bypass list names."
    )
