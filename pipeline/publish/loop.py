"""Lands a change on a branch that others push to: fetch the tip, change it, push.

If another push comes first, it starts again. What is pushed is a function of the tip.
Nothing is checked out: the commit is made from the tip's tree and the files that the
change writes. The user's own work tree and index are never touched.
"""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from core.errors import PipelineError
from core.files import emptied
from core.git import GitError, git, is_ancestor
from pipeline.publish import base
from pipeline.publish.commit import commit_tree
from pipeline.publish.remote import Remote
from pipeline.publish.tip import Tip
from pipeline.publish.workspace import workspace
from pipeline.repo import Repo

ATTEMPTS = 60
# The newest commit of this clone, even of a dry run: `git show refs/mlops/published`.
PUBLISHED = "refs/mlops/published"


@dataclass(frozen=True)
class Change:
    """The result of one attempt; `commit` is set if the change landed earlier."""

    message: str
    commit: str | None = None


def land(
    repo: Repo,
    name: str,
    branch: str | None,
    change: Callable[[Tip], Change],
    dry_run: bool = False,
    made_from: str | None = None,
) -> tuple[str, str]:
    """Apply `change` to the branch's tip and push, again and again until it lands.

    Returns the commit and its message. `change` is called with the tip, whose folder it
    may write to. A dry run makes the commit and pushes nothing.

    Args:
        name: the remote, by its name or address.
        branch: the branch to publish to, which is created if it does not exist; None
            means the remote's default branch.
        made_from: the commit of the bundle, which is merged into a branch that does not
            contain it; see `base`.

    Raises:
        PipelineError: another publish runs in this clone, the remote cannot be reached,
            it rejects the push for a reason other than a race, or too many races are
            lost.
    """
    with workspace(repo) as folder:
        remote = Remote(repo.root, name)
        branch = branch or _default_branch(remote)
        landing = _Landing(folder, remote, branch, change, dry_run, made_from)
        for attempt in range(ATTEMPTS):
            if landing.try_once():
                return landing.commit, landing.message
            longest = min(2.0, 0.1 * (attempt + 1))
            time.sleep(random.uniform(0, longest))
    raise PipelineError(
        f"gave up after {ATTEMPTS} attempts, because another push to {branch} came"
        " first each time: run the command again; nothing is lost."
    )


@dataclass
class _Landing:
    """The attempts to land one change; `commit` and `message` are the newest one's."""

    folder: Path
    remote: Remote
    branch: str
    change: Callable[[Tip], Change]
    dry_run: bool
    made_from: str | None
    commit: str = ""
    message: str = ""

    def try_once(self) -> bool:
        """Apply the change to a fresh tip and push it; return whether it has landed."""
        root = self.remote.root
        tip = self.remote.fetch(self.branch)
        if self.commit and tip and is_ancestor(root, self.commit, tip):
            return True  # the last push succeeded, though its response was lost
        beginning = base.choose(self.remote, self.branch, tip, self.made_from)
        with emptied(self.folder / "tip") as folder:
            state = Tip(folder, self.remote, beginning)
            done = self.change(state)
            self.message = done.message
            self.commit = done.commit or self._commit(state, beginning.parents)
        git(root, "update-ref", PUBLISHED, self.commit)
        if done.commit or self.dry_run:
            return True
        try:
            self.remote.push(self.commit, self.branch)
        except GitError as error:
            self.remote.raise_unless_worth_another_attempt(error, self.branch, tip)
            return False
        return True

    def _commit(self, state: Tip, parents: list[str]) -> str:
        """Commit what the change wrote."""
        root = self.remote.root
        tree = state.write_tree()
        return commit_tree(root, tree, self.message, parents)


def _default_branch(remote: Remote) -> str:
    branch = remote.default_branch()
    if branch is None:
        raise PipelineError(
            f"{remote.shown} has no default branch yet: push your commits first, or"
            " name a branch with --branch."
        )
    return branch
