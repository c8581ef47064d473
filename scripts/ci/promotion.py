"""Check a pull request to the branch of an environment: `python3 -m scripts.ci.promotion`.

Its newest commit has to have the very tree of a commit of the default branch that
declares a release: `pipeline promote-release` makes such commits. It needs the standard
library alone.

From the environment: HEAD (the newest commit of the request), BRANCH (the default
branch). Both are in the clone, with their past.
"""

import sys
from pathlib import Path

from core.errors import PipelineError
from core.file_names import RELEASE
from core.git import git, is_ancestor, succeeds
from scripts import console
from scripts.ci import own_commits
from scripts.ci.api import MissingVariable, needed
from scripts.ci.outputs import put


def released(root: Path, head: str, tip: str) -> str:
    """Return the declaring commit whose tree a commit has.

    Args:
        root: the clone.
        head: the commit to check.
        tip: the tip of the default branch.

    Raises:
        PipelineError: it has the tree of none of them.
    """
    if not succeeds(root, "cat-file", "-e", f"{head}^{{commit}}"):
        raise PipelineError(
            f"{head[:12]} is not in this repository: push the branch here, not to a"
            " fork."
        )
    tree = git(root, "rev-parse", f"{head}^{{tree}}")
    parents = git(root, "log", "-1", "--format=%P", head).split()
    for parent in parents:
        has_tree = git(root, "rev-parse", f"{parent}^{{tree}}") == tree
        if has_tree and _declares(root, parent) and is_ancestor(root, parent, tip):
            return parent
    raise PipelineError(
        f"{head[:12]} is not the release of a commit of the default branch: run `python"
        " -m pipeline promote-release`, also for the way back to an older one."
    )


def _declares(root: Path, commit: str) -> bool:
    """Return whether a commit is the release job's, and changes the release."""
    changed = git(root, "log", "-1", "--format=%H", commit, "--", RELEASE)
    return changed == commit and own_commits.is_own(root, commit)


def main() -> int:
    """Check the request, and print the release that it promotes."""
    try:
        head = needed("HEAD")
        tip = f"refs/remotes/origin/{needed('BRANCH')}"
        commit = released(Path(), head, tip)
    except (PipelineError, MissingVariable) as error:
        print(f"::error::{error}")
        put(failure=str(error))
        return 2 if isinstance(error, MissingVariable) else 1
    print(f"It promotes the release that {commit[:12]} declares.")
    return 0


if __name__ == "__main__":
    sys.exit(console.run(main))
