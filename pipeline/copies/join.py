"""Finds the commit of the template that a copy was made from."""

from core.errors import UsageError
from core.git import git, succeeds
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
        UsageError: no address is known, or the template has no such branch, tag or
            commit.
    """
    if git(repo.root, "rev-parse", "--is-shallow-repository") == "true":
        raise UsageError(
            "this clone is shallow, so its first commit is not here: run `git fetch"
            " --unshallow`."
        )
    _remember(repo, address)
    places = (f"+refs/heads/*:{BRANCHES}/*", f"+refs/tags/*:{TAGS}/*")
    git(repo.root, "fetch", "--quiet", "--no-tags", REMOTE, *places)
    if ref is None:
        listing = git(repo.root, "ls-remote", REMOTE, "HEAD")
        commit, _, _ = listing.partition("\t")
        return commit
    for name in (f"{BRANCHES}/{ref}", f"{TAGS}/{ref}", ref):
        commit = f"{name}^{{commit}}"
        if succeeds(repo.root, "rev-parse", "--quiet", "--verify", commit):
            return git(repo.root, "rev-parse", commit)
    raise UsageError(f"the template has no branch, tag or commit {ref!r}.")


def _remember(repo: Repo, address: str | None) -> None:
    known = succeeds(repo.root, "remote", "get-url", REMOTE)
    if not address and not known:
        raise UsageError(
            "the template's address is not known: name it once with `pipeline update --from"
            " ADDRESS`."
        )
    if address:
        verb = "set-url" if known else "add"
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
        if not succeeds(repo.root, "merge-base", "--is-ancestor", proposed, template):
            raise UsageError(
                f"--base {proposed}: the template's history has no such commit."
            )
        return git(repo.root, "rev-parse", f"{proposed}^{{commit}}")
    if succeeds(repo.root, "merge-base", "HEAD", template):
        return git(repo.root, "merge-base", "HEAD", template)
    return _with_same_files(repo, template)


def _with_same_files(repo: Repo, template: str) -> str:
    """Return the newest commit of the template with the files of the copy's first one."""
    trees: dict[str, str] = {}
    commits = git(repo.root, "log", "--format=%H %T", template)
    for line in commits.splitlines():
        commit, tree = line.split()
        trees.setdefault(tree, commit)  # the newest one comes first
    first_commits = git(repo.root, "log", "--format=%T", "--max-parents=0", "HEAD")
    roots = first_commits.splitlines()
    for root in roots:
        if root in trees:
            return trees[root]
    nearest, differing = _nearest(repo, roots[-1], trees)
    options = ("-1", "--date=short", "--format=%h of %cd, %s")
    description = git(repo.root, "log", *options, nearest)
    raise UsageError(
        "no commit of the template has the files of this copy's first commit. The"
        f" nearest is {description} ({differing} files differ): if the copy was made"
        f" from it, run the command again with --base {nearest[:12]}."
    )


def _nearest(repo: Repo, root: str, trees: dict[str, str]) -> tuple[str, int]:
    """Return the commit with the fewest files that differ from a tree, and how many."""
    differing = {}
    for tree, commit in trees.items():
        changes = git(repo.root, "diff-tree", "-r", "--name-only", tree, root)
        differing[commit] = len(changes.splitlines())
    return min(differing.items(), key=lambda item: item[1])
