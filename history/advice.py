"""How faults of a history can be repaired."""

from collections.abc import Sequence

from core.git import GitError, git
from history.faults import Fault
from history.location import Location

RESTORE = "git restore --source=HEAD --staged --worktree"
NAMED = "the command named with a fault mends it, and often others with it"
FROM_A_CLONE = "take the files from a clone that has no fault"
FROM_HEAD = f"`{RESTORE} FILE` brings a file back as it is in the last commit"
FROM_AN_EARLIER_COMMIT = (
    "the last commit has the same content; `git log -- FILE` names the commits that"
    " changed a file, and `git restore --source=COMMIT~1 FILE` brings back what was"
    " there before one"
)


def advice(location: Location, faults: Sequence[Fault]) -> str:
    """Return how faults can be repaired, which depends on whether they are committed."""
    if any("`git " in fault.reason for fault in faults):
        return NAMED
    folders = [location.name]
    if location.project.models:
        folders.append(location.relative(location.project.models))
    options = ("--porcelain", "--untracked-files=no", "--")
    try:
        changed = git(location.root, "status", *options, *folders)
    except GitError:
        return FROM_A_CLONE
    if changed:
        return FROM_HEAD
    return FROM_AN_EARLIER_COMMIT
