"""Chooses what a published commit is based on: the branch's tip, or also the bundle's.

A branch that only the pipeline writes to, such as `published`, begins at the commit
that the first bundle was trained from. From then on the default branch is merged into
it. In the folders that the pipeline writes, changes of both sides are kept, and the
data branch wins where both changed a file; everything else is as in the bundle's
commit.
"""

import tempfile
from dataclasses import dataclass
from pathlib import Path

from core.errors import PipelineError
from core.file_names import is_owned
from core.git import git, is_ancestor, succeeds
from core.git_objects import Index
from pipeline.publish.remote import Remote

# An entry that removes its path from the index.
_REMOVED = "0 " + "0" * 40
# The number by which Git names the tip's version of a file with a conflict.
_TIP = "2"


@dataclass(frozen=True)
class Base:
    """The commits that a new one has as its parents, and the tree that it changes.

    `tree` is a commit if there is nothing to merge.
    """

    branch: str
    parents: list[str]
    tree: str

    def contains(self, remote: Remote, commit: str) -> bool:
        """Return whether a commit is a parent or an ancestor of one."""

        def is_found() -> bool:
            return any(
                is_ancestor(remote.root, commit, parent) for parent in self.parents
            )

        return remote.deepen(self.branch, is_found)

    def added_by(self, remote: Remote, path: str) -> str:
        """Return the commit that added a file or folder of the tree."""
        # In a branch of its own it may be a merge (-m), and other merges bring it to
        # other branches.
        log = ("-c", "log.showRoot=true", "log", "--reverse", "-m", "--format=%H")
        arguments = (*log, "--diff-filter=A", *self.parents, "--", path)

        def first() -> str:
            return git(remote.root, *arguments).splitlines()[0]

        def has_parent() -> bool:
            # The oldest commits of a shallow clone seem to add all their files.
            parent = f"{first()}^"
            return succeeds(remote.root, "rev-parse", "--verify", "--quiet", parent)

        remote.deepen(self.branch, has_parent)
        return first()


def choose(remote: Remote, branch: str, tip: str | None, made_from: str | None) -> Base:
    """Return what the new commit is based on: one commit, or the tip and one to merge.

    Args:
        tip: the branch's newest commit; None if the remote does not have the branch
            yet.
        made_from: the commit that the bundle was trained from; None for a manual
            promotion.

    Raises:
        PipelineError: the remote has no commit to create the branch from, the branch
            does not belong to this project, or it has changes that the pipeline did not
            make.
    """
    parents = _parents(remote, branch, tip, made_from)
    _require_project(remote, branch, parents[0])
    if len(parents) == 1:
        return Base(branch, parents, parents[0])
    tree = merged_tree(remote.root, *parents)
    return Base(branch, parents, tree)


def _parents(
    remote: Remote, branch: str, tip: str | None, made_from: str | None
) -> list[str]:
    root = remote.root
    if tip and (made_from is None or is_ancestor(root, made_from, tip)):
        return [tip]
    default = remote.default_branch()
    source = remote.fetch(default) if default else None
    if default is None or source is None:
        if tip is None:
            raise PipelineError(
                f"{remote.shown} has neither a branch {branch} nor a default branch to"
                " create it from: push your commits first, or name an existing branch"
                " with --branch."
            )
        return [tip]
    if made_from is None or default == branch:
        return [tip or source]
    return _parents_in_data_branch(remote, branch, tip, default, source, made_from)


def _parents_in_data_branch(
    remote: Remote,
    branch: str,
    tip: str | None,
    default: str,
    source: str,
    made_from: str,
) -> list[str]:
    """Return the parents of a commit in a branch that the default one is merged into.

    Args:
        source: the tip of the default branch.
    """
    root = remote.root
    remote.complete(default)  # a merge begins where the branches parted
    if tip and is_ancestor(root, made_from, tip):
        return [tip]
    was_pushed = is_ancestor(root, made_from, source)
    if not was_pushed:
        return [tip or source]
    if tip is None or is_ancestor(root, tip, made_from):
        return [made_from]
    _require_data_branch(remote, branch, tip, made_from)
    return [tip, made_from]


def _require_project(remote: Remote, branch: str, commit: str) -> None:
    if not succeeds(remote.root, "cat-file", "-e", f"{commit}:params.yaml"):
        raise PipelineError(
            f"{remote.shown}'s branch {branch} does not belong to this project (it has"
            " no params.yaml): name another branch with --branch."
        )


def merged_tree(root: Path, tip: str, commit: str) -> str:
    """Merge a commit into the tip of a data branch, in an index alone; return the tree.

    Of a file with a conflict the tip's version is kept, or none if the tip has none.
    """
    ancestors = git(root, "merge-base", tip, commit).splitlines()
    sides = [ancestors[0], tip, commit]
    with tempfile.TemporaryDirectory(prefix="mlops-") as folder:
        index = Index(root, Path(folder) / "index")
        index.git("read-tree", "-i", "-m", "--aggressive", *sides)
        unmerged = index.git("ls-files", "-u", "-z")
        entries = _resolved(unmerged)
        index.git("update-index", "-z", "--index-info", stdin=entries)
        return index.write()


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
    bases = git(remote.root, "merge-base", "--all", tip, commit).splitlines()
    options = ("-r", "-z", "--name-only", "--no-renames")
    changed = git(remote.root, "diff-tree", *options, bases[0], tip)
    for path in changed.split("\0")[:-1]:
        if is_owned(path):
            continue
        raise PipelineError(
            f"{remote.shown}'s branch {branch} has a change to {path} that the pipeline"
            f" did not make and commit {commit[:12]} does not contain: merge the branch"
            " into the default branch and train again, or name another branch with"
            " --branch."
        )
