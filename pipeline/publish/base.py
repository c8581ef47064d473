"""Chooses the parents of a published commit: the branch's tip, or also the bundle's.

A branch that only the pipeline writes to, such as `published`, begins at the commit
that the first bundle was trained from. From then on the default branch is merged into
it. In the folders that the pipeline writes, changes of both sides are kept, and the
data branch wins where both changed a file; everything else is as in the bundle's
commit.
"""

import tempfile
from pathlib import Path

from core.errors import PipelineError
from core.file_names import is_owned
from core.git import git, succeeds
from pipeline.publish.remote import Remote

# An entry that removes its path from the index.
_REMOVED = "0 " + "0" * 40
# The number by which Git names the tip's version of a file with a conflict.
_TIP = "2"


def choose(
    remote: Remote, branch: str, tip: str | None, made_from: str | None
) -> list[str]:
    """Return the parents of the new commit: one, or the tip and the commit to merge.

    Args:
        tip: the branch's newest commit; None if the remote does not have the branch
            yet.
        made_from: the commit that the bundle was trained from; None for a manual
            promotion.

    Raises:
        PipelineError: the remote has no commit to create the branch from, or the branch
            has changes that the pipeline did not make.
    """
    tree = remote.tree
    if tip:
        is_merged = made_from is None or is_ancestor(tree, made_from, tip)
        if is_merged:
            return [tip]
    default = remote.default_branch()
    source = remote.fetch(default) if default else None
    if source is None:
        if tip is None:
            raise PipelineError(
                f"{remote.shown} has neither a branch {branch} nor a default branch to"
                " create it from: push your commits first, or name an existing branch"
                " with --branch."
            )
        return [tip]
    if made_from is None or default == branch:
        return [tip or source]
    was_pushed = is_ancestor(tree, made_from, source)
    if not was_pushed:
        return [tip or source]
    if tip is None or is_ancestor(tree, tip, made_from):
        return [made_from]
    _require_data_branch(remote, branch, tip, made_from)
    return [tip, made_from]


def is_ancestor(tree: Path, commit: str, of: str) -> bool:
    """Return whether a commit is an ancestor of another, or the same one.

    An unknown commit is not.
    """
    return succeeds(tree, "merge-base", "--is-ancestor", commit, of)


def require_ancestor(tree: Path, commit: str, what: str) -> None:
    """Check that the branch contains the commit that something was trained from.

    Raises:
        PipelineError: it does not: the commit was never pushed, or the history of the
            branch was rewritten.
    """
    if not is_ancestor(tree, commit, "HEAD"):
        raise PipelineError(
            f"{what} was trained from commit {commit[:12]}, which the branch does not"
            " contain: push that commit first, or, if the history of the branch was"
            " rewritten, check out its newest commit and train again."
        )


def merged_tree(tree: Path, tip: str, commit: str) -> str:
    """Merge a commit into the tip of a data branch, in an index alone; return the tree.

    Of a file with a conflict the tip's version is kept, or none if the tip has none.
    """
    ancestors = git(tree, "merge-base", tip, commit).splitlines()
    sides = [ancestors[0], tip, commit]
    with tempfile.TemporaryDirectory(prefix="mlops-") as folder:
        path = Path(folder) / "index"
        index = {"GIT_INDEX_FILE": str(path)}
        git(tree, "read-tree", "-i", "-m", "--aggressive", *sides, variables=index)
        unmerged = git(tree, "ls-files", "-u", "-z", variables=index)
        entries = _resolved(unmerged)
        update = ["update-index", "-z", "--index-info"]
        git(tree, *update, stdin=entries, variables=index)
        return git(tree, "write-tree", variables=index)


def _resolved(unmerged: str) -> str:
    """Return the index entries with the tip's version of each file with a conflict.

    Args:
        unmerged: the entries of all versions, as `git ls-files -u -z` prints them.
    """
    versions: dict[str, str] = {}
    for line in unmerged.split("\0")[:-1]:
        entry, path = line.split("\t", 1)
        mode, blob, stage = entry.split()
        versions.setdefault(path, _REMOVED)
        if stage == _TIP:
            versions[path] = f"{mode} {blob}"
    entries = ""
    for path, entry in versions.items():
        entries += f"{entry}\t{path}\0"
    return entries


def _require_data_branch(remote: Remote, branch: str, tip: str, commit: str) -> None:
    """Check that the pipeline made all changes of the branch.

    Raises:
        PipelineError: it did not, so nothing may be merged into the branch.
    """
    bases = git(remote.tree, "merge-base", "--all", tip, commit).splitlines()
    options = ("-r", "-z", "--name-only", "--no-renames")
    changed = git(remote.tree, "diff-tree", *options, bases[0], tip)
    for path in changed.split("\0")[:-1]:
        if is_owned(path):
            continue
        raise PipelineError(
            f"{remote.shown}'s branch {branch} has a change to {path} that the pipeline"
            f" did not make and commit {commit[:12]} does not contain: merge the branch"
            " into the default branch and train again, or name another branch with"
            " --branch."
        )
