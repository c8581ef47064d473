"""An origin whose main branch is protected by rules, as GitHub's rulesets do it."""

from pathlib import Path

from core.git import git
from pipeline.publish.loop import Change, land
from pipeline.publish.tip import Tip
from pipeline.repo import Repo
from tests.conftest import Clone, commit_all
from tests.support import factories
from tests.support.publishing import note

# GitHub's message for a push that a ruleset rejects; $1 is the rule, as it is named on
# the page of the rules.
REJECT = """
reject() {
  echo "error: GH013: Repository rule violations found for $ref." >&2
  echo "Review all repository rules at https://github.com/o/r/rules?ref=$ref" >&2
  echo "- $1" >&2
  exit 1
}
zero=0000000000000000000000000000000000000000
while read old new ref; do
  test "$ref" = refs/heads/main || continue
"""
NO_REWRITE = """
  test "$new" = $zero && reject "Cannot delete this branch"
  test "$old" = $zero || git merge-base --is-ancestor $old $new || reject "Cannot force-push"
"""
PULL_REQUEST = 'reject "Changes must be made through a pull request."\n'


def protect(origin: Path, rules: str, prelude: str = "") -> None:
    """Protect the main branch; the prelude runs before the rules."""
    hook = origin / "hooks" / "pre-receive"
    hook.write_text(f"#!/bin/sh\n{prelude}{REJECT}{rules}done\nexit 0\n")
    hook.chmod(0o755)


def unprotect(origin: Path) -> None:
    (origin / "hooks" / "pre-receive").unlink(missing_ok=True)


class ProtectedTeam:
    """A person who merges to a protected main, and the workflow that publishes."""

    def __init__(self, clone: Clone, origin: Path, tmp_path: Path) -> None:
        self.origin = origin
        self.repo = clone("workflow")
        self._tmp = tmp_path
        self._count = 0

    def merge(self, name: str) -> str:
        """Merge a person's change to main, as GitHub's button does; return the commit.

        The workflow's clone has it checked out afterwards.
        """
        unprotect(self.origin)
        root = self.repo.root
        git(root, "pull", "--quiet", "--ff-only", "origin", "main")
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
        commit = commit_all(root, f"feat: {name}")
        git(root, "push", "--quiet", "origin", "HEAD:main")
        protect(self.origin, PULL_REQUEST)
        return commit

    def publish(self, branch: str | None, remote: str = "origin") -> str:
        """Publish a note as a bundle of the commit that is checked out."""
        self._count += 1
        made_from = git(self.repo.root, "rev-parse", "HEAD")
        write = note(f"run-{self._count}")

        def change(tip: Tip) -> Change:
            tip.require(made_from, "the bundle")
            return write(tip)

        commit, _ = land(self.repo, remote, branch, change, made_from=made_from)
        return commit

    def write_bundle(self, noise: float) -> Path:
        """Write a bundle of the commit that is checked out; return its folder."""
        self._count += 1
        folder = self._tmp / f"bundle-{self._count}"
        commit = git(self.repo.root, "rev-parse", "HEAD")
        factories.bundle(folder, commit, {"housing": noise}, seed=self._count)
        return folder

    def check_out(self, branch: str) -> Repo:
        """Return a fresh clone of a branch."""
        self._count += 1
        target = self._tmp / f"seen-{self._count}"
        git(
            self._tmp,
            "clone",
            "--quiet",
            "-b",
            branch,
            str(self.origin),
            str(target),
        )
        return Repo.open(target)

    def parents(self, commit: str) -> list[str]:
        """Return the parents of a commit at the origin."""
        return git(self.origin, "log", "-1", "--format=%P", commit).split()

    def show(self, path: str) -> str:
        """Return a file as it is on the branch `published`."""
        return git(self.origin, "show", f"published:{path}")
