"""Makes the published commit from the folders that the pipeline owns, byte for byte."""

from pathlib import Path

from core.errors import PipelineError
from core.file_names import OWNED
from core.git import GitError, git
from pipeline.publish.worktree import git_in

# GitHub shows it as its own Actions bot. The pipeline's commits are recognized by their
# trailer and by the folders that they touch, never by this name, which anybody can use.
BOT_NAME = "github-actions[bot]"
BOT_EMAIL = "41898282+github-actions[bot]@users.noreply.github.com"


def commit(tree: Path, message: str, parents: list[str]) -> str:
    """Commit the owned folders of a worktree, as they are; return the commit.

    This does not use `git commit`, so that the user's settings for commits, such as
    templates, signatures and clean-up, do not apply.

    Raises:
        PipelineError: Git would store bytes other than those that were written.
    """
    owned = [path for path in OWNED if (tree / path).exists()]
    git_in(tree, "add", "--all", "--force", "--", *owned)
    _require_same_bytes(tree)
    content = git_in(tree, "write-tree")
    return commit_tree(tree, content, message, parents)


def commit_tree(tree: Path, content: str, message: str, parents: list[str]) -> str:
    """Commit a tree in the user's name, or in the bot's if the user has not set one."""
    options = []
    for parent in parents:
        options += ["-p", parent]
    text = git(tree, "stripspace", stdin=message) + "\n"
    return git(
        tree, "commit-tree", *options, content, stdin=text, variables=_identity(tree)
    )


def _identity(tree: Path) -> dict[str, str]:
    """Return the variables that name the bot, if the user has no name or address."""
    try:
        for ident in ("GIT_AUTHOR_IDENT", "GIT_COMMITTER_IDENT"):
            git(tree, "-c", "user.useConfigOnly=true", "var", ident)
    except GitError:
        return {
            "GIT_AUTHOR_NAME": BOT_NAME,
            "GIT_AUTHOR_EMAIL": BOT_EMAIL,
            "GIT_COMMITTER_NAME": BOT_NAME,
            "GIT_COMMITTER_EMAIL": BOT_EMAIL,
        }
    return {}


def _require_same_bytes(tree: Path) -> None:
    """Check that no filter or attribute of this clone has changed a file.

    The digests in the history are of the bytes that were written. Attributes in
    `.git/info` override those of the repository, and cannot be turned off.

    Raises:
        PipelineError: a file differs.
    """
    options = ("-z", "--cached", "--no-renames")
    listing = git_in(tree, "diff-index", *options, "HEAD")
    changes = listing.split("\0")[:-1]
    paths = []
    stored = []
    for entry, path in zip(changes[::2], changes[1::2], strict=True):
        if (tree / path).is_file():
            paths.append(path)
            stored.append(entry.split()[3])
    hashing = ("hash-object", "--no-filters", "--stdin-paths")
    hashes = git(tree, *hashing, stdin="\n".join(paths))
    written = hashes.splitlines()
    for path, in_git, on_disk in zip(paths, stored, written, strict=True):
        if in_git != on_disk:
            raise PipelineError(
                f"Git would not store {path} byte for byte, because a line of"
                " .git/info/attributes sets a filter or line endings for it: remove"
                " that line, or publish from another clone."
            )
