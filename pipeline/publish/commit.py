"""Makes a commit of a tree, in the user's name or in the bot's.

Standard library only: programs that run without any package use it too.
"""

from pathlib import Path

from core.git import GitError, git

# GitHub shows it as its own Actions bot. The pipeline's commits are recognized by their
# trailer and by the folders that they touch, never by this name, which anybody can use.
BOT_NAME = "github-actions[bot]"
BOT_EMAIL = "41898282+github-actions[bot]@users.noreply.github.com"


def commit_tree(root: Path, tree: str, message: str, parents: list[str]) -> str:
    """Commit a tree in the user's name, or in the bot's if the user has not set one.

    This does not use `git commit`, so that the user's settings for commits, such as
    templates, signatures and clean-up, do not apply.
    """
    options = []
    for parent in parents:
        options += ["-p", parent]
    text = git(root, "stripspace", stdin=message) + "\n"
    variables = identity(root)
    return git(root, "commit-tree", *options, tree, stdin=text, variables=variables)


def identity(root: Path) -> dict[str, str]:
    """Return the variables that name the bot, if the user has no name or address."""
    try:
        for ident in ("GIT_AUTHOR_IDENT", "GIT_COMMITTER_IDENT"):
            git(root, "-c", "user.useConfigOnly=true", "var", ident)
    except GitError:
        return {
            "GIT_AUTHOR_NAME": BOT_NAME,
            "GIT_AUTHOR_EMAIL": BOT_EMAIL,
            "GIT_COMMITTER_NAME": BOT_NAME,
            "GIT_COMMITTER_EMAIL": BOT_EMAIL,
        }
    return {}
