"""Making the published commit: what the pipeline owns, byte for byte, in whose name."""

from pathlib import Path

from core.errors import PipelineError
from core.file_names import OWNED
from core.git import GitError, git
from pipeline.publish.worktree import git_in

# GitHub shows it as its own Actions bot. The pipeline's commits are known by their
# trailer and by the folders that they touch, never by this name: anybody can call
# themselves so.
BOT_NAME = "github-actions[bot]"
BOT_EMAIL = "41898282+github-actions[bot]@users.noreply.github.com"


def commit(tree: Path, message: str, parents: list[str]) -> str:
    """Commit the owned folders of a worktree, as they are; return the commit.

    Made without `git commit`, so that none of the user's settings for commits counts:
    no template, no signature, no clean-up.

    Raises:
        PipelineError: Git would store other bytes than were written.
    """
    owned = [path for path in OWNED if (tree / path).exists()]
    git_in(tree, "add", "--all", "--force", "--", *owned)
    _require_same_bytes(tree)
    content = git_in(tree, "write-tree")
    return commit_tree(tree, content, message, parents)


def commit_tree(tree: Path, content: str, message: str, parents: list[str]) -> str:
    """Make a commit of a tree in the user's name, or in the bot's if they have none."""
    options = [part for parent in parents for part in ("-p", parent)]
    text = git(tree, "stripspace", stdin=message) + "\n"
    return git(
        tree, "commit-tree", *options, content, stdin=text, variables=_identity(tree)
    )


def _identity(tree: Path) -> dict[str, str]:
    """Return the variables that name the bot, if the user's name or e-mail address is
    missing.
    """
    try:
        for ident in ("GIT_AUTHOR_IDENT", "GIT_COMMITTER_IDENT"):
            git(tree, "-c", "user.useConfigOnly=true", "var", ident)
    except GitError:
        parts = {"NAME": BOT_NAME, "EMAIL": BOT_EMAIL}
        return {
            f"GIT_{role}_{part}": value
            for role in ("AUTHOR", "COMMITTER")
            for part, value in parts.items()
        }
    return {}


def _require_same_bytes(tree: Path) -> None:
    """Refuse a commit in which a filter or an attribute of this clone has changed a
    file.

    The digests in the history are of the bytes that were written. Attributes in
    `.git/info` come before those of the repository, and nothing turns them off.
    """
    changed = git_in(
        tree, "diff-index", "-z", "--cached", "--no-renames", "HEAD"
    ).split("\0")[:-1]
    stored = {
        path: about.split()[3]
        for about, path in zip(changed[::2], changed[1::2], strict=True)
        if (tree / path).is_file()
    }
    raw = git(
        tree, "hash-object", "--no-filters", "--stdin-paths", stdin="\n".join(stored)
    )
    for path, (blob, written) in zip(
        stored, zip(stored.values(), raw.splitlines(), strict=True)
    ):
        if blob != written:
            raise PipelineError(
                f"Git would store {path} with other bytes than were written: a filter"
                " or line-end setting in .git/info/attributes changes it. Take that"
                " line out, or publish from another clone."
            )
