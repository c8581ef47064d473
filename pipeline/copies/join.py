"""Finds the commit of the template that a copy was created from."""

from core.errors import UsageError
from core.git import git, is_ancestor, is_shallow, succeeds
from pipeline.repo import Repo

# The template's branches and tags, apart from the copy's own.
BRANCHES = "refs/remotes/template"
TAGS = "refs/mlops/template-tags"
REMOTE = "template"


def fetch(repo: Repo, address: str | None, ref: str | None) -> str:
    """Fetch the template as the remote `template`, and return its commit.

    Args:
        ref: a branch, a tag or a commit of the template; None for its default branch.

    Raises:
        UsageError: the template's address is unknown, or the template has no such
            branch, tag or commit.
    """
    if is_shallow(repo.root):
        raise UsageError(
            "this clone is shallow, but its first commit is needed: run `git fetch"
            " --unshallow` first."
        )
    _store_address(repo, address)
    branches = f"+refs/heads/*:{BRANCHES}/*"
    tags = f"+refs/tags/*:{TAGS}/*"
    git(repo.root, "fetch", "--quiet", "--no-tags", REMOTE, branches, tags)
    if ref is None:
        listing = git(repo.root, "ls-remote", REMOTE, "HEAD")
        commit, _, _ = listing.partition("\t")
        return commit
    names = [f"{BRANCHES}/{ref}", f"{TAGS}/{ref}", ref]
    for name in names:
        commit = f"{name}^{{commit}}"
        if succeeds(repo.root, "rev-parse", "--quiet", "--verify", commit):
            return git(repo.root, "rev-parse", commit)
    raise UsageError(
        f"the template has no branch, tag or commit {ref!r}: choose another with --to."
    )


def _store_address(repo: Repo, address: str | None) -> None:
    """Store the template's address as a remote, if one is given."""
    has_remote = succeeds(repo.root, "remote", "get-url", REMOTE)
    if not address and not has_remote:
        raise UsageError(
            "the address of the template is unknown: give it once with `pipeline update"
            " --from ADDRESS`."
        )
    if address:
        verb = "set-url" if has_remote else "add"
        git(repo.root, "remote", verb, REMOTE, address)


def base(repo: Repo, template: str, proposed: str | None = None) -> str:
    """Return the template's commit that the copy and the template have in common.

    In a fork that is the merge base. A copy made by "Use this template" begins with a
    commit of its own, whose files are those of a commit of the template.

    Raises:
        UsageError: the histories have nothing in common, and no `proposed` commit is
            given.
    """
    if proposed:
        return _proposed(repo, template, proposed)
    if succeeds(repo.root, "merge-base", "HEAD", template):
        return git(repo.root, "merge-base", "HEAD", template)
    return _with_same_files(repo, template)


def _proposed(repo: Repo, template: str, proposed: str) -> str:
    """Return the commit that the user names as the base."""
    if not is_ancestor(repo.root, proposed, template):
        raise UsageError(
            f"--base {proposed} is not a commit of the template's history: give one"
            " that is."
        )
    return git(repo.root, "rev-parse", f"{proposed}^{{commit}}")


def _with_same_files(repo: Repo, template: str) -> str:
    """Return the newest commit of the template with the files of the copy's first one."""
    commits: dict[str, str] = {}
    listing = git(repo.root, "log", "--format=%H %T", template)
    for line in listing.splitlines():
        commit, tree = line.split()
        commits.setdefault(tree, commit)  # the newest one comes first
    roots = git(repo.root, "log", "--format=%T", "--max-parents=0", "HEAD")
    first_trees = roots.splitlines()
    for tree in first_trees:
        if tree in commits:
            return commits[tree]
    nearest, differing = _nearest(repo, first_trees[-1], commits)
    options = ["-1", "--date=short", '--format=%h of %cd, "%s"']
    description = git(repo.root, "log", *options, nearest)
    raise UsageError(
        "no commit of the template has exactly the files of this copy's first commit."
        f" The nearest one is {description} (differing files: {differing}): if the copy"
        " was created from it, run the command again with --base"
        f" {nearest[:12]}."
    )


def _nearest(repo: Repo, root: str, commits: dict[str, str]) -> tuple[str, int]:
    """Return the commit with the fewest files that differ from a tree, and how many.

    Args:
        root: the tree.
        commits: the commits to choose from, by their trees.
    """
    differing: dict[str, int] = {}
    for tree, commit in commits.items():
        changes = git(repo.root, "diff-tree", "-r", "--name-only", tree, root)
        paths = changes.splitlines()
        differing[commit] = len(paths)
    nearest = min(differing, key=lambda commit: differing[commit])
    return nearest, differing[nearest]
