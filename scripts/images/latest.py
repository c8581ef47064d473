"""Moves the tag `latest`: never backwards, and only to code that was tested.

The three images of a commit are tagged `sha-<commit>` before any of them becomes
`latest`, and `mlops-api:latest` moves last. Its label org.opencontainers.image.revision
therefore names a commit whose three images exist: to get three of the same commit,
pull `sha-<that commit>`.
"""

from core.git import GitError, git, is_ancestor
from scripts.ci import own_commits
from scripts.images import registry
from scripts.stack.settings import ROOT, StackError, Variables

LATEST = "latest"


def move(images: list[str], commit: str, variables: Variables) -> dict[str, str]:
    """Move `latest` of all images to those of a commit; return their digests.

    Args:
        images: their names without a tag; the last one moves last.
        commit: the commit that is checked out. GITHUB_SHA, if set, is the one that this
            workflow run has linted and tested.

    Returns:
        The digests by image; none if `latest` stays where it is, which is printed with
        the reason.

    Raises:
        StackError: an image of the commit is missing, or origin or the registry
            refuses.
    """
    digests = {}
    before = {}
    present = []
    for image in images:
        digests[image] = registry.digest(image, f"sha-{commit}", variables)
        # Looked up before the fetch from origin, which then brings its commit.
        earlier = registry.digest_or_none(image, LATEST, variables)
        before[image] = earlier
        if earlier:
            present.append(registry.revision(image, f"@{earlier}", variables))
    tested = variables.get("GITHUB_SHA") or commit
    reason = _why_not(commit, tested, present)
    if reason:
        print(f"`latest` stays where it is: {reason}")
        return {}
    _move(digests, before, variables)
    for image in images:
        revision = registry.revision(image, f":{LATEST}", variables)
        if revision != commit:
            raise StackError(
                f"{image}:{LATEST} is of {revision[:9]}, not of {commit[:9]}: something"
                " else moved it at the same time. Run this again."
            )
    return digests


def _why_not(commit: str, tested: str, present: list[str]) -> str:
    """Return why a commit's images must not become `latest`; nothing if they may.

    Args:
        present: the commits that `latest` is of now.
    """
    remote = "refs/remotes/origin"
    try:
        git(ROOT, "fetch", "--quiet", "origin", f"+refs/heads/*:{remote}/*")
        branches = git(ROOT, "for-each-ref", "--contains", commit, remote)
        if not branches:
            return f"{commit[:9]} is on no branch of origin any more."
        untested = own_commits.untested(ROOT, tested, commit)
    except GitError as error:
        raise StackError(f"{error}: is origin right, can you fetch?") from error
    if untested:
        first = [name[:9] for name in untested[:3]]
        names = ", ".join(first)
        return (
            f"{commit[:9]} contains {names}, which this run has neither linted nor"
            " tested. It is left to the run of that push."
        )
    for name in present:
        if name != commit and _contains(name, commit):
            return f"it is of {name[:9]} already, which is newer than {commit[:9]}."
    return ""


def _contains(tip: str, commit: str) -> bool:
    """Return whether a commit is an ancestor of a tip."""
    if not tip:
        return False
    return is_ancestor(ROOT, commit, tip)


def _move(
    digests: dict[str, str], before: dict[str, str | None], variables: Variables
) -> None:
    """Set all tags, or leave them as they were before."""
    moved: list[str] = []
    try:
        for image, digest in digests.items():
            registry.tag(image, LATEST, [digest], variables)
            moved.append(image)
    except StackError:
        for image in moved:
            earlier = before[image]
            if earlier:
                registry.tag(image, LATEST, [earlier], variables)
        raise
