"""What a published commit is made on: the branch's tip, or that and the commit of the
bundle.

A branch that only the pipeline writes to, such as `published`, begins at the commit
that the first bundle was made from. From then on the default branch is merged into it:
of the folders that the pipeline writes, what changed on either side is kept, and where
both changed a file the data branch's stays; all else is as in the bundle's commit.
"""

import tempfile
from pathlib import Path

from core.errors import PipelineError
from core.file_names import is_owned
from core.git import git, succeeds
from pipeline.publish.remote import Remote

# How an index is told that a path is in it no more.
_GONE = "0 " + "0" * 40


def choose(
    remote: Remote, branch: str, tip: str | None, made_from: str | None
) -> list[str]:
    """Return the parents of the commit to come: one, or the tip and the commit to merge
    into it.

    Args:
        tip: the branch's newest commit; None if the remote does not have the branch
            yet.
        made_from: the commit that the bundle was made from; None for a promotion by
            hand.

    Raises:
        PipelineError: the remote has no commit to begin the branch from, or the branch
            has changes of somebody's own, so that nothing can be merged into it unseen.
    """
    tree = remote.tree
    if tip and (made_from is None or is_ancestor(tree, made_from, tip)):
        return [tip]
    default = remote.default_branch()
    source = remote.fetch(default) if default else None
    if source is None:
        if tip is None:
            raise PipelineError(
                f"{remote.shown} has no branch {branch}, and no default branch to begin"
                " it from: push your commits first, or name another branch with"
                " --branch."
            )
        return [tip]
    if (
        made_from is None
        or default == branch
        or not is_ancestor(tree, made_from, source)
    ):
        return [tip or source]
    if tip is None or is_ancestor(tree, tip, made_from):
        return [made_from]
    _require_data_branch(remote, branch, tip, made_from)
    return [tip, made_from]


def is_ancestor(tree: Path, commit: str, of: str) -> bool:
    """Tell whether a commit is among the ancestors of another, or is it; False if it is
    unknown.
    """
    return succeeds(tree, "merge-base", "--is-ancestor", commit, of)


def require_ancestor(tree: Path, commit: str, what: str) -> None:
    """Refuse to publish what was made from a commit that the branch does not hold.

    Raises:
        PipelineError: the commit was never pushed, or the remote rewrote its history.
    """
    if not is_ancestor(tree, commit, "HEAD"):
        raise PipelineError(
            f"{what} was made from commit {commit[:12]}, which the branch does not"
            " hold: push that commit first, or, if the remote rewrote its history,"
            " reset to it and train again."
        )


def merged_tree(tree: Path, tip: str, commit: str) -> str:
    """Merge a commit into the tip of a data branch, in no folder at all; return the
    tree's id.
    """
    base = git(tree, "merge-base", tip, commit).splitlines()[0]
    with tempfile.TemporaryDirectory(prefix="mlops-") as folder:
        own = {"GIT_INDEX_FILE": str(Path(folder) / "index")}
        git(
            tree,
            "read-tree",
            "-i",
            "-m",
            "--aggressive",
            base,
            tip,
            commit,
            variables=own,
        )
        stages: dict[str, dict[str, str]] = {}
        for entry in git(tree, "ls-files", "-u", "-z", variables=own).split("\0")[:-1]:
            about, path = entry.split("\t", 1)
            mode, blob, stage = about.split()
            stages.setdefault(path, {})[stage] = f"{mode} {blob}"
        chosen = [f"{kept.get('2', _GONE)}\t{path}\0" for path, kept in stages.items()]
        git(
            tree,
            "update-index",
            "-z",
            "--index-info",
            stdin="".join(chosen),
            variables=own,
        )
        return git(tree, "write-tree", variables=own)


def _require_data_branch(remote: Remote, branch: str, tip: str, commit: str) -> None:
    """Refuse to merge into a branch on which somebody changed what the pipeline does
    not write.
    """
    bases = git(remote.tree, "merge-base", "--all", tip, commit).splitlines()
    changed = git(
        remote.tree,
        "diff-tree",
        "-r",
        "-z",
        "--name-only",
        "--no-renames",
        bases[0],
        tip,
    )
    others = [path for path in changed.split("\0")[:-1] if not is_owned(path)]
    if others:
        raise PipelineError(
            f"{remote.shown}'s branch {branch} has changes that commit {commit[:12]}"
            f" does not hold ({others[0]}), so it is no branch that only the pipeline"
            " writes to: merge it into the default branch and train again, or name"
            " another with --branch."
        )
