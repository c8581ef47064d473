"""Landing a change on a branch that others push to: take a fresh tip, make the change,
push, again.

What is pushed is a function of the tip, and the user's own work tree is never touched:
all of it happens in a worktree below `build/`.
"""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass

from core.errors import PipelineError
from core.git import GitError, git, succeeds
from pipeline.publish import base
from pipeline.publish.commit import commit, commit_tree
from pipeline.publish.remote import Remote
from pipeline.publish.worktree import checkout, worktree
from pipeline.repo import Repo

ATTEMPTS = 60
# The newest commit that was made here, also by a dry run: `git show
# refs/mlops/published`.
PUBLISHED = "refs/mlops/published"


@dataclass(frozen=True)
class Change:
    """What one attempt did to its tip; `commit` names it when it had landed before."""

    message: str
    commit: str | None = None


def land(
    repo: Repo,
    name: str,
    branch: str | None,
    change: Callable[[Repo], Change],
    dry_run: bool = False,
    made_from: str | None = None,
) -> tuple[str, str]:
    """Apply `change` to the branch's tip and push, until it lands; return commit and
    message.

    `change` is called with a checkout of the tip that is its own to write in. A dry run
    makes the commit and pushes nothing.

    Args:
        name: the remote, by its name or address.
        branch: the branch to publish to; None means the remote's default branch. One
            that is named and not there yet is created.
        made_from: the commit of the bundle, which is merged into a branch that does not
            hold it; see `base`.

    Raises:
        PipelineError: another publish runs in this clone, the remote cannot be reached,
            it rejects the push for another reason than a race, or the race is lost too
            often.
    """
    with worktree(repo) as tree:
        remote, made = Remote(tree, name, repo.root), None
        branch = branch or _default_branch(remote)
        for attempt in range(ATTEMPTS):
            tip = remote.fetch(branch)
            if made and tip and base.is_ancestor(tree, made[0], tip):
                return made  # the push went through, though the answer to it was lost
            parents = base.choose(remote, branch, tip, made_from)
            _check_out(remote, branch, parents)
            done = change(Repo.open(tree))
            made = done.commit or commit(tree, done.message, parents), done.message
            git(tree, "update-ref", PUBLISHED, made[0])
            if done.commit or dry_run:
                return made
            try:
                remote.push(made[0], branch)
                return made
            except GitError as error:
                remote.answer(error, branch, tip)
            time.sleep(random.uniform(0, min(2.0, 0.1 * (attempt + 1))))
    raise PipelineError(
        f"gave up after {ATTEMPTS} attempts: other pushes to {branch} landed first each"
        " time; nothing is lost, run the command again."
    )


def _default_branch(remote: Remote) -> str:
    branch = remote.default_branch()
    if branch is None:
        raise PipelineError(
            f"{remote.shown} has no default branch yet: push your commits first, or"
            " name a branch with --branch."
        )
    return branch


def _check_out(remote: Remote, branch: str, parents: list[str]) -> None:
    """Check out what the change is to be made on: a parent, or two of them merged."""
    tree, (tip, *others) = remote.tree, parents
    if not succeeds(tree, "cat-file", "-e", f"{tip}:params.yaml"):
        raise PipelineError(
            f"{remote.shown}'s branch {branch} is none of this project (it has no"
            " params.yaml): name another with --branch."
        )
    for other in others:
        content = base.merged_tree(tree, tip, other)
        tip = commit_tree(
            tree, content, f"Merge {other[:12]} into {branch}\n", [tip, other]
        )
    checkout(tree, tip)
