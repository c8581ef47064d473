"""The tags of archived years, and whether they still hold what was archived."""

import re
from collections.abc import Iterator
from pathlib import Path

from core.git import git, is_ancestor, is_shallow, succeeds
from history.faults import Fault
from history.location import Notice

TAGS = "history/"
# Ends the message of the commit that archives: the year, and the commit of the tag.
TRAILER = "Mlops-Archive"
YEAR = re.compile(r"\d{4}")


def has_tag(root: Path, year: str) -> bool:
    """Return whether this clone has the tag of a year."""
    tag = f"refs/tags/{TAGS}{year}"
    return succeeds(root, "rev-parse", "--verify", "--quiet", tag)


def _archived_years(root: Path) -> dict[str, str]:
    """Return the commit that holds the runs of each archived year.

    Raises:
        GitError: the history cannot be read.
    """
    trailers = f"--format=%(trailers:key={TRAILER},valueonly)"
    commits = {}
    for line in git(root, "log", trailers, f"--grep=^{TRAILER}: ").splitlines():
        year, _, commit = line.partition(" ")
        if YEAR.fullmatch(year) and commit:
            commits[year] = commit
    return commits


def faults(root: Path, notice: Notice) -> Iterator[Fault]:
    """Yield the tags of archived years that do not hold what was archived.

    Args:
        notice: called with a sentence about a tag that this clone does not have.
    """
    for year, commit in _archived_years(root).items():
        tag = TAGS + year
        if not has_tag(root, year):
            notice(
                f"The runs of {year} are in the tag {tag}, which this clone does not"
                f" have; `git fetch origin tag {tag}` brings it."
            )
        elif git(root, "rev-parse", f"{tag}^{{commit}}") != commit:
            reason = f"names another commit than {commit[:12]}, which was archived"
            yield Fault(f"refs/tags/{tag}", reason)
        elif not is_ancestor(root, commit, "HEAD") and not is_shallow(root):
            reason = "names a commit that is not part of this branch's history"
            yield Fault(f"refs/tags/{tag}", reason)
