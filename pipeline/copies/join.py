"""Finding what a copy was made from: the template's commit that both histories have in
common.
"""

from core.errors import UsageError
from core.git import git, succeeds
from pipeline.repo import Repo

# The template's branches and tags, apart from the copy's own.
BRANCHES, TAGS = "refs/remotes/template", "refs/mlops/template-tags"
REMOTE = "template"


def fetch(repo: Repo, address: str | None, ref: str | None) -> str:
    """Fetch the template, remember its address as the remote `template`, and return its
    commit.

    Args:
        ref: a branch, a tag or a commit of the template; without one its default
            branch.

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
        return git(repo.root, "ls-remote", REMOTE, "HEAD").split("\t")[0]
    for place in (f"{BRANCHES}/{ref}", f"{TAGS}/{ref}", ref):
        if succeeds(
            repo.root, "rev-parse", "--quiet", "--verify", f"{place}^{{commit}}"
        ):
            return git(repo.root, "rev-parse", f"{place}^{{commit}}")
    raise UsageError(f"the template has no branch, tag or commit {ref!r}.")


def _remember(repo: Repo, address: str | None) -> None:
    known = succeeds(repo.root, "remote", "get-url", REMOTE)
    if not address and not known:
        raise UsageError(
            "where is the template? Say it once: `pipeline update --from ADDRESS`."
        )
    if address:
        git(repo.root, "remote", *(["set-url"] if known else ["add"]), REMOTE, address)


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
    trees: dict[str, str] = {}
    for line in git(repo.root, "log", "--format=%H %T", template).splitlines():
        commit, tree = line.split()
        trees.setdefault(tree, commit)  # the newest commit with these files
    roots = git(repo.root, "log", "--format=%T", "--max-parents=0", "HEAD").splitlines()
    for root in roots:
        if root in trees:
            return trees[root]
    nearest, differing = _nearest(repo, roots[-1], trees)
    about = git(
        repo.root, "log", "-1", "--date=short", "--format=%h of %cd, %s", nearest
    )
    raise UsageError(
        "no commit of the template has the files of this copy's first commit. The"
        f" nearest is {about} ({differing} files differ): if the copy was made of it,"
        f" run the command again with --base {nearest[:12]}."
    )


def _nearest(repo: Repo, root: str, trees: dict[str, str]) -> tuple[str, int]:
    """Return the commit whose files differ least from those of a tree, and how many
    differ.
    """
    differing = {
        commit: len(
            git(repo.root, "diff-tree", "-r", "--name-only", tree, root).splitlines()
        )
        for tree, commit in trees.items()
    }
    return min(differing.items(), key=lambda item: item[1])
